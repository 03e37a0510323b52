// The part of the logger that the registry uses: it travels between processes.

export type LogLevel = 'info' | 'warn' | 'error';

export type RegistryLogger = Record<LogLevel, (fields: object, message: string) => void>;

/** A logger that adds these fields to every line. */
export function withFields(logger: RegistryLogger, more: object): RegistryLogger {
  return {
    info: (fields, message) => logger.info({ ...fields, ...more }, message),
    warn: (fields, message) => logger.warn({ ...fields, ...more }, message),
    error: (fields, message) => logger.error({ ...fields, ...more }, message),
  };
}

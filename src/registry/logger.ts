// The part of the logger that the registry uses: it travels between processes.

export type LogLevel = 'info' | 'warn' | 'error';

export type RegistryLogger = Record<LogLevel, (fields: object, message: string) => void>;

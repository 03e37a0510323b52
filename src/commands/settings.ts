// The settings that a command runs with. Warnings about them are printed or logged before anything starts.

import { type ConfigRequest, type EffectiveConfig, readConfig } from '../config.js';
import type { Config } from '../config-schema.js';
import { createLogger, type Logger } from '../log.js';

/** For a tool at a terminal: prints warnings on standard error. */
export function readSettings(request: ConfigRequest): EffectiveConfig {
  const effective = readConfig(request);
  for (const warning of effective.warnings) process.stderr.write(`weir: warning: ${warning}\n`);
  return effective;
}

/** For a command that runs on: logs warnings. */
export function settingsWithLogger(request: ConfigRequest): { readonly config: Config; readonly logger: Logger } {
  const { config, warnings } = readConfig(request);
  const logger = createLogger(config.log);
  for (const warning of warnings) logger.warn(warning);
  return { config, logger };
}

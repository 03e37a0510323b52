// Settings that change while the edge runs: read again on SIGHUP and when the configuration file changes.

import { closeSync, openSync, type Stats, unwatchFile, watchFile } from 'node:fs';
import { ConfigError, type ConfigRequest, loadConfig } from '../config.js';
import type { Logger } from '../log.js';
import type { Edge } from './edge.js';

/** Milliseconds between two looks at the file: by its path, so that a link that is turned to another file is seen. */
const fileIntervalMs = 1_000;
/** Milliseconds that a changed file has to stand still before it is read: longer than until the next look. */
const settleMs = 1_500;

export interface SettingsFollower {
  /** What is to be read now. */
  readonly request: () => ConfigRequest;
  /** Settings of the edge itself were read again and are in effect. */
  readonly reloaded?: () => void;
  readonly edge: Pick<Edge, 'reload' | 'settingsRefused'>;
  readonly logger: Logger;
  /** Ends the process in order. */
  readonly end: () => void;
}

/**
 * Until `signal` aborts. Settings that cannot be used are refused with all that is wrong with them, and the ones in
 * effect stay. SIGHUP brings new workers even where nothing changed; a terminal that closes sends it too, and means the
 * end.
 */
export function followSettings({ request, reloaded, edge, logger, end }: SettingsFollower, signal: AbortSignal): void {
  const file = fileOf(request());
  const hadTerminal = hasTerminal();
  const reload = (renew: boolean) => {
    try {
      edge.reload(loadConfig(request()), renew).then(reloaded, (error: Error) => {
        logger.error({ error: error.message }, 'reload failed: the settings in effect stay');
      });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      edge.settingsRefused();
      logger.error({ problems: error.problems }, `reload refused, the settings in effect stay: ${error.message}`);
    }
  };
  const onHangUp = () => {
    if (hadTerminal && !hasTerminal()) end();
    else reload(true);
  };
  let settling: NodeJS.Timeout | undefined;
  const onFile = (now: Stats, before: Stats) => {
    const changed = now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size;
    if (now.nlink === 0 || !changed) return;
    // Many editors empty a file before they write it, and an empty one is a valid one.
    clearTimeout(settling);
    settling = setTimeout(() => reload(false), settleMs);
  };
  process.on('SIGHUP', onHangUp);
  if (file !== undefined) watchFile(file, { interval: fileIntervalMs }, onFile);
  signal.addEventListener('abort', () => {
    process.off('SIGHUP', onHangUp);
    clearTimeout(settling);
    if (file !== undefined) unwatchFile(file, onFile);
  });
}

function fileOf({ file, env }: ConfigRequest): string | undefined {
  return file ?? (env?.['WEIR_CONFIG'] || undefined);
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

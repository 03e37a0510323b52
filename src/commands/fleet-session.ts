// A session with the fleet for a command: by the native client in this process, with a deadline for the way there.

import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { whyNoFleet } from '../fleet/enabled.js';
import { type FleetSession, openSession } from '../fleet/session.js';
import { createLogger } from '../log.js';
import { registryLogger } from '../registry/create.js';
import { awaitedRegistry } from './where.js';

/**
 * Runs `work` once there is a connection.
 *
 * @param deadlineMs for the connection
 * @throws OperatorError there is no fleet, or no connection by then
 */
export async function withFleet<T>(
  config: Config,
  deadlineMs: number,
  work: (session: FleetSession) => Promise<T>,
): Promise<T> {
  const why = whyNoFleet(config);
  if (why !== undefined) throw new OperatorError(`there is no fleet: ${why}`);
  // A tool at a terminal: only what went wrong.
  const logger = createLogger({ ...config.log, level: 'error' });
  const session = await openSession(config, registryLogger(logger));
  try {
    await connected(session, deadlineMs, config);
    return await work(session);
  } finally {
    await session.close();
  }
}

function connected(session: FleetSession, deadlineMs: number, config: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    const { name, advice } = awaitedRegistry(config);
    const late = setTimeout(() => {
      end();
      reject(new OperatorError(`nothing heard from ${name} in ${deadlineMs / 1000} s; ${advice}`));
    }, deadlineMs);
    const end = session.subscribe(({ kind }) => {
      if (kind !== 'connected') return;
      clearTimeout(late);
      // It may be connected already, before `end` is there.
      queueMicrotask(() => end());
      resolve();
    });
  });
}

// A barrier: who comes to it is counted, and who waits goes on when all are there. For steps that many edges take together.

import type { FleetSession } from './session.js';

export interface BarrierOptions {
  readonly session: FleetSession;
  /** The node below which each who is there has one, with its name. */
  readonly folder: string;
}

/**
 * Comes to the barrier, and stays until the session ends or it leaves.
 *
 * @param data what it has to say to who waits, such as the revision it runs
 * @returns leaves
 * @throws FleetError `exists`: somebody of this name is there, perhaps by a session that has not expired yet
 */
export async function enter(
  { session, folder }: BarrierOptions,
  name: string,
  data: string,
): Promise<() => Promise<void>> {
  const path = `${folder}/${name}`;
  await session.create(path, data, 'ephemeral');
  return () => session.remove(path);
}

/**
 * Resolves when all of `names` are there, at the first moment that they are: they may leave afterwards.
 *
 * @param signal ends the waiting
 * @throws the reason of `signal`
 */
export function waitForAll(
  { session, folder }: BarrierOptions,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let end = () => {};
    const stop = (settle: () => void) => {
      end();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = () => stop(() => reject(signal.reason));
    if (signal.aborted) return onAbort();
    const look = async () => {
      // A failed read is followed by another connection, which looks again.
      const there = new Set(await session.children(folder).catch(() => undefined));
      if (names.every((name) => there.has(name))) stop(resolve);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    end = session.watch(folder, 'children', () => void look());
  });
}

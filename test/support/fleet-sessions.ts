// Sessions of a fleet over the native client in the test's own process.

import { DirectSession } from '../../src/registry/coordination/direct-session.js';
import type { FleetSession, FleetState } from '../../src/registry/coordination/session.js';
import { loadClient } from '../../src/registry/zookeeper-client.js';

export const quietLogger = { info() {}, warn() {}, error() {} };

/** A session that need not be connected yet. The caller closes it. */
export async function directSession(
  servers: string,
  {
    sessionTimeout = 4_000,
    credentials,
    now,
  }: { sessionTimeout?: number; credentials?: string; now?: () => number } = {},
): Promise<DirectSession> {
  return new DirectSession(
    await loadClient(),
    { servers, sessionTimeout, credentials, root: '/weir' },
    quietLogger,
    now,
  );
}

/** Resolves with the next state of this kind; at once where it is connected and that is asked for. */
export function becomes(session: FleetSession, kind: FleetState['kind']): Promise<FleetState> {
  return new Promise((resolve) => {
    const end = session.subscribe((state) => {
      if (state.kind !== kind) return;
      queueMicrotask(() => end());
      resolve(state);
    });
  });
}

/** What a registry process is started with, for its session of the fleet. */
export const registrySettings = (servers: string) => ({
  servers,
  trees: [{ path: '/channels/{channel}/{endpoint}', formats: 'auto' as const }],
  maxSessions: 1,
  sessionTimeout: 4_000,
  readDepth: 100,
  reconcileInterval: 0,
  credentials: undefined,
  limits: { endpoints: 1_000, endpointsPerChannel: 1_000 },
});

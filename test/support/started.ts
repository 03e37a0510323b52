// Origins and upstream clients that a test starts, ended after it.

import { startHttpOrigin, startRawOrigin } from './origin-server.js';
import { createUpstream, type TestUpstream } from './upstream.js';

/** @param cleanups those of `cleanupsAfterEach` */
export function startedFor(cleanups: (() => unknown)[]) {
  return {
    httpOrigin: async (...parameters: Parameters<typeof startHttpOrigin>) => {
      const origin = await startHttpOrigin(...parameters);
      cleanups.push(() => origin.close());
      return origin;
    },
    rawOrigin: async (...parameters: Parameters<typeof startRawOrigin>) => {
      const origin = await startRawOrigin(...parameters);
      cleanups.push(() => origin.close());
      return origin;
    },
    upstream: (...parameters: Parameters<typeof createUpstream>): TestUpstream => {
      const created = createUpstream(...parameters);
      cleanups.push(() => created.pools.close());
      return created;
    },
  };
}

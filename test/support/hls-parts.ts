// Parts of an HLS session for unit tests, with a clock that stands still.

import type { PresentedParts } from '../../src/hls/session/presented.js';
import { Timeline } from '../../src/hls/session/timeline.js';

/** What `Presented` needs of a session, where nothing else happens to it. */
export function presentedParts(timeline = new Timeline()): PresentedParts {
  return {
    name: { stem: '/live/news' },
    context: {
      settings: { unkeyedParameters: [], grace: 5_000 },
      keys: { naming: 'test', signing: 'test' },
      now: () => 0,
      clock: () => 0,
    },
    timeline,
    objects: { isLost: () => false },
  };
}

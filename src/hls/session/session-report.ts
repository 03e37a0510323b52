// What `/api/v1/hls` says of a session.

import type { Session } from './session.js';

/** @param now monotonic ms */
export function reportOf(session: Session, now: number) {
  const { name, playlists, timeline, endpoint, usedAt } = session;
  return {
    channel: name.channel,
    path: name.stem,
    shared: name.partition === '',
    endpoint: endpoint?.address ?? null,
    idle_seconds: (now - usedAt) / 1000,
    epoch: timeline.period?.number ?? null,
    follows_plan: session.followsPlan,
    last_switch: describeSwitch(session),
    playlists: [...playlists].flatMap(({ suffix, window }) => {
      const first = window?.entries[0];
      if (window === undefined || first === undefined) return [];
      return {
        path: name.stem + suffix,
        media_sequence: first.sequence,
        segments: window.entries.length,
        discontinuity_sequence: first.discontinuitySequence - (first.discontinuity ? 1 : 0),
        target_duration_seconds: window.targetDurationSeconds,
        since_growth_seconds: (now - window.grownAt) / 1000,
        ended: window.ended,
      };
    }),
  };
}

function describeSwitch({ choice: { lastSwitch } }: Session): unknown {
  return lastSwitch === undefined ? null : { ...lastSwitch, at: new Date(lastSwitch.at).toISOString() };
}

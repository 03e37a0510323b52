// The section `relay`: live FLV streams that viewers share.

import { z } from 'zod';
import { duration, flag, integer, size } from './kinds.js';

/** The schema of the section `relay`. */
export const relay = z
  .strictObject({
    enabled: flag(
      true,
      'One pull of a channel for all its HTTP-FLV and WebSocket-FLV viewers; false: a pull for each.',
    ),
    mergeWindow: duration('100ms', '0', '10s', 'What comes within it leaves in one write per viewer; 0 sends at once.'),
    stallTimeout: duration('3s', '10ms', '1h', 'An endpoint that sends no media for so long is left.'),
    keyframeTimeout: duration(
      '10s',
      '10ms',
      '1h',
      'An endpoint that sends video without a keyframe for so long is left.',
    ),
    grace: duration('10s', '0', '1h', 'How long viewers are held while no endpoint delivers.'),
    linger: duration('10s', '0', '480h', 'How long a pull goes on after its last viewer.'),
    slowTimeout: duration('15s', '10ms', '24h', 'A viewer that needs longer to empty its buffer is closed.'),
    maxViewers: integer(1_000_000, 1, 1_000_000, 'Viewers of one stream at most; a further one is answered 503.'),
    maxRelays: integer(
      10_000,
      1,
      1_000_000,
      'Streams at most, and as many that no endpoint delivered yet; the first viewer of a further one is answered 503.',
    ),
    maxChannelRelays: integer(
      32,
      1,
      10_000,
      'The same for one channel (renditions, other paths); a quarter of them may be started by one client.',
    ),
    maxTagSize: size(
      '8MiB',
      '1KiB',
      '16MiB',
      'Size of one FLV tag at most; an endpoint that sends a larger one is left.',
    ),
    viewerBuffer: z
      .strictObject({
        size: size(
          '8MiB',
          '1B',
          '1GiB',
          'What is held for one viewer at most; beyond it the viewer skips to a keyframe.',
        ),
        duration: duration(
          '5s',
          '0',
          '1h',
          'The same as media, at the measured bitrate, on top of one group of pictures.',
        ),
        total: size(
          '256MiB',
          '1MiB',
          '64GiB',
          'What is held for all viewers of a worker together; beyond it those who took nothing for longest are closed.',
        ),
      })
      .prefault({})
      .describe('What is held for viewers who read slowly.'),
    gopCache: z
      .strictObject({
        size: size(
          '8MiB',
          '0',
          '1GiB',
          'A group of pictures larger than this is not kept: viewers then wait for a keyframe, for upstream.firstByteTimeout.',
        ),
      })
      .prefault({})
      .describe('What a viewer who joins gets at once: the stream since its last keyframe.'),
  })
  .refine((settings) => settings.gopCache.size <= settings.viewerBuffer.size, {
    path: ['gopCache', 'size'],
    error: 'expected at most relay.viewerBuffer.size, since a joining viewer is given all of it',
  });

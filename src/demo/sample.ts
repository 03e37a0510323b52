// The recorded sample that the simulated origins loop; media/make.sh makes it.

import { readFileSync } from 'node:fs';
import { packageRoot } from '../package.js';
import { FlvLoop } from './flv-loop.js';
import { TsLoop } from './ts-loop.js';

/** Seconds of each segment of the sample. */
export const segmentSeconds = 2;
const segments = 8;

export interface Sample {
  readonly flv: FlvLoop;
  readonly ts: TsLoop;
  /** Average of one viewer's stream, in kbit/s. */
  readonly bitrate: number;
}

let loaded: Sample | undefined;

/** Reads the files on first use. Both forms hold the same encoded pictures and sound. */
export function sample(): Sample {
  loaded ??= read();
  return loaded;
}

function read(): Sample {
  const file = (name: string) => readFileSync(`${packageRoot}src/demo/media/${name}`);
  const flv = file('sample.flv');
  const seconds = segments * segmentSeconds;
  return {
    flv: new FlvLoop(flv, seconds * 1000),
    ts: new TsLoop(
      Array.from({ length: segments }, (_, index) => file(`segment-${index}.mpegts`)),
      segmentSeconds,
    ),
    bitrate: Math.round((flv.length * 8) / 1000 / seconds),
  };
}

// The committed samples, parsed the simple way. `test/support/flv-samples.ts` makes them anew.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package.js';
import { FlvParser } from '../../src/relay/flv/parser.js';
import type { FlvTag } from '../../src/relay/flv/tag.js';

export const sampleNames = ['h264-aac', 'aac', 'hevc-legacy-aac', 'hevc-enhanced-aac', 'av1-opus-enhanced'] as const;
export type SampleName = (typeof sampleNames)[number];

export const sample = (name: SampleName): Buffer => readFileSync(join(packageRoot, `test/relay/samples/${name}.flv`));

/** What the parser makes of chunks; throws what it throws. */
export function tagsOf(chunks: Iterable<Buffer>, maxTagSize = 1 << 20): FlvTag[] {
  const tags: FlvTag[] = [];
  const parser = new FlvParser({ onHeader: () => undefined, onTag: (tag) => tags.push(tag) }, maxTagSize);
  for (const chunk of chunks) parser.push(chunk);
  return tags;
}

// Whatever an origin sends: what leaves is FLV that no player stumbles over, and what is kept stays within its bounds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FlvError, FlvParser } from '../../src/relay/flv/parser.js';
import { readTag } from '../../src/relay/flv/tag.js';
import { Outgoing } from '../../src/relay/outgoing.js';
import { cleanupsAfterEach } from '../support/cleanups.js';
import { flvFile, flvTag, type PlainTag, parseWhole } from '../support/flv-bytes.js';
import { runs } from '../support/runs.js';
import { ScriptedRelays } from '../support/scripted-relay.js';
import { sample } from './samples.js';

const cleanups = cleanupsAfterEach();
const maxBytes = 20_000;

/** Bodies that mean something, and some that mean nothing. */
const beginnings = [
  [0x17, 0],
  [0x17, 1],
  [0x27, 1],
  [0x17, 2],
  [0x47, 1],
  [0x90, 0x68, 0x76, 0x63, 0x31],
  [0x91, 0x68, 0x76, 0x63, 0x31],
  [0x96, 0x00, 0x68, 0x76, 0x63, 0x31],
  [0x96, 0x20],
  [0x97, 0, 0, 0x07],
  [0xaf, 0],
  [0xaf, 1],
  [0x2f],
  [0x95, 0x00, 0x6d, 0x70, 0x34, 0x61],
  [2, 0, 10, ...Buffer.from('onMetaData')],
  [2, 0, 13, ...Buffer.from('@setDataFrame')],
  [],
];
const body = fc
  .tuple(fc.constantFrom(...beginnings), fc.uint8Array({ maxLength: 300 }))
  .map(([beginning, rest]) => Buffer.concat([Buffer.from(beginning), rest]));
const step = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 50 }) },
  { weight: 2, arbitrary: fc.integer({ min: -260, max: 260 }) },
  { weight: 1, arbitrary: fc.integer({ min: -5_000, max: 5_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }) },
);
const type = fc.constantFrom(8, 8, 9, 9, 9, 18, 15, 0x29);
/** A stream whose tags are whole, whatever they contain and whenever they claim to be. */
const tags = fc.array(fc.record({ type, step, body }), { maxLength: 120 }).map((list) => {
  let at = 0;
  return flvFile(
    true,
    true,
    list.map((tag) => {
      at = (at + tag.step) >>> 0;
      return flvTag(tag.type, at, tag.body);
    }),
  );
});
/** A real stream with bytes changed, lost and put in. */
const mutated = fc
  .tuple(
    fc.constantFrom('h264-aac', 'aac', 'hevc-enhanced-aac', 'av1-opus-enhanced'),
    fc.array(fc.record({ at: fc.nat(60_000), cut: fc.nat(200), insert: fc.uint8Array({ maxLength: 40 }) }), {
      maxLength: 6,
    }),
  )
  .map(([name, changes]) => {
    let file = sample(name);
    for (const { at, cut, insert } of changes) {
      const where = at % file.length;
      file = Buffer.concat([file.subarray(0, where), insert, file.subarray(where + cut)]);
    }
    return file;
  });
const stream = fc.oneof(tags, mutated);

/** Of media: players do not look at the time of a header. */
function assertNoStepBack(all: readonly PlainTag[]): void {
  for (const track of [8, 9]) {
    let last: number | undefined;
    for (const { type: of, timestamp, body: bytes } of all) {
      if (of !== track || readTag(of, timestamp, bytes)?.slot !== undefined) continue;
      assert.ok(last === undefined || ((timestamp - last) | 0) >= 0, `track ${track}: ${last} -> ${timestamp}`);
      last = timestamp;
    }
  }
}

test('one stream after another leaves as one, and its cache keeps to its limits', () => {
  fc.assert(
    fc.property(
      fc.array(stream, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 3_000 }),
      (streams, size) => {
        let now = 0;
        const outgoing = new Outgoing(
          maxBytes,
          () => now,
          () => undefined,
          () => undefined,
        );
        const out: Buffer[] = [];
        for (const bytes of streams) {
          let pending: ReturnType<Outgoing['accept']>[] = [];
          const sink = {
            onHeader: () => undefined,
            onTag: (tag: Parameters<Outgoing['accept']>[0]) => pending.push(outgoing.accept(tag)),
          };
          const parser = new FlvParser(sink, 1 << 20);
          outgoing.begin(
            new Outgoing(
              maxBytes,
              () => 0,
              () => undefined,
              () => undefined,
            ).cache,
          );
          try {
            for (let at = 0; at < bytes.length; at += size) {
              now += 40;
              parser.push(bytes.subarray(at, at + size));
              const given = pending.filter((tag) => tag !== undefined);
              pending = [];
              if (given.length > 0) out.push(outgoing.batch(given, size).frame.as('raw'));
              const { cache } = outgoing;
              assert.ok(cache.bytes <= maxBytes && cache.tags.length <= maxBytes / 256 + 1);
              assert.ok(cache.headers.length <= 32);
              const joining = outgoing.joinFrame()?.as('raw');
              if (joining !== undefined) assertNoStepBack(parseWhole(joining).tags);
            }
          } catch (error) {
            assert.ok(error instanceof FlvError, String(error));
          }
        }
        assertNoStepBack(parseWhole(Buffer.concat([flvFile(true, true, []), ...out])).tags);
      },
    ),
    { numRuns: runs(60, 1500) },
  );
});

test('viewers get a sound stream, an end or an error, whatever endpoints send, and nothing is left of it', () => {
  const event = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('send' as const),
        bytes: stream,
        size: fc.integer({ min: 1, max: 5_000 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(6_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('watch' as const), reads: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('register' as const), count: fc.nat(3) }) },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 25 }), fc.boolean(), (events, isCut) => {
      const made = new ScriptedRelays({ maxGroupBytes: maxBytes, graceMs: 5_000, lingerMs: 1_000 });
      cleanups.push(() => made.clock.restore());
      try {
        made.registerNews(2);
        const viewers = [made.watch()];
        for (const each of events) {
          const pull = made.pulls.at(-1);
          if (each.kind === 'pass') made.pass(each.ms, undefined, 100);
          else if (each.kind === 'register') made.registerNews(each.count + 1);
          else if (each.kind === 'watch') viewers.push(made.watch(undefined, { reads: each.reads }));
          else if (pull === undefined || pull.aborted) continue;
          else if (each.kind === 'end') pull.handler.onEnd();
          else
            for (let at = 0; at < each.bytes.length && !pull.aborted; at += each.size)
              pull.send(each.bytes.subarray(at, at + each.size));
        }
        if (!isCut) made.pass(60_000, undefined, 100);
        for (const viewer of viewers) {
          assertNoStepBack(viewer.tags);
          if (!isCut && viewer.socket.reads)
            assert.ok(viewer.refused !== undefined || viewer.ended, 'silence ends every viewer');
        }
        made.close();
        assert.equal(made.clock.pending, 0);
      } finally {
        made.clock.restore();
      }
    }),
    { numRuns: runs(25, 600) },
  );
});

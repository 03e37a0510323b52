import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sample, segmentSeconds } from '../../src/demo/sample.js';
import { TsLoop } from '../../src/demo/ts-loop.js';

interface Packet {
  pid: number;
  counter: number;
  payload: boolean;
  pcr: number | undefined;
  dts: number | undefined;
}

/** Reads what is to be continuous, bit by bit rather than as the code under test does. */
function packets(segment: Buffer): Packet[] {
  const bits = (bytes: Buffer, from: number, count: number) => {
    let value = 0;
    for (let i = from; i < from + count; i += 1) value = value * 2 + (((bytes[i >> 3] ?? 0) >> (7 - (i & 7))) & 1);
    return value;
  };
  const stamp = (pes: Buffer, at: number) =>
    bits(pes, at * 8 + 4, 3) * 2 ** 30 + bits(pes, at * 8 + 8, 15) * 2 ** 15 + bits(pes, at * 8 + 24, 15);
  const result: Packet[] = [];
  for (let at = 0; at < segment.length; at += 188) {
    const packet = segment.subarray(at, at + 188);
    assert.equal(packet[0], 0x47);
    const [starts, pid] = [bits(packet, 9, 1), bits(packet, 11, 13)];
    const [adaptation, payload, counter] = [bits(packet, 26, 1), bits(packet, 27, 1), bits(packet, 28, 4)];
    const adaptationLength = adaptation === 1 ? 1 + (packet[4] ?? 0) : 0;
    const hasPcr = adaptationLength > 1 && bits(packet, 5 * 8 + 3, 1) === 1;
    const pcr = hasPcr ? bits(packet, 6 * 8, 33) : undefined;
    const pes = packet.subarray(4 + adaptationLength);
    let dts: number | undefined;
    if (starts === 1 && payload === 1 && bits(pes, 0, 24) === 1) {
      const flags = bits(pes, 7 * 8, 2);
      assert.ok(flags >= 2, 'every PES packet of the sample has a PTS');
      dts = stamp(pes, flags === 3 ? 14 : 9);
    }
    result.push({ pid, counter, payload: payload === 1, pcr, dts });
  }
  return result;
}

const { ts } = sample();
const stream = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => packets(ts.segment(from + i))).flat();

/** Forward distance on a circle. */
const ahead = (from: number, to: number, circle: number) => (to - from + circle) % circle;

const runs: [string, number][] = [
  ['from the first segment', 0],
  ['in a later loop', 8003],
  // 2^33 / 90 kHz = 95443.7 s.
  ['across the wrap of the 33-bit clock', Math.floor(2 ** 33 / 90_000 / segmentSeconds) - 10],
];

for (const [name, from] of runs) {
  test(`20 segments are one stream ${name}`, () => {
    const counters = new Map<number, number>();
    const times = new Map<string, number>();
    const follows = (key: string, value: number | undefined, longest: number) => {
      if (value === undefined) return;
      const last = times.get(key);
      if (last !== undefined) {
        const step = ahead(last, value, 2 ** 33);
        assert.ok(step > 0 && step <= longest, `${key} goes from ${last} to ${value}`);
      }
      times.set(key, value);
    };
    for (const packet of stream(from, from + 20)) {
      const last = counters.get(packet.pid);
      if (last !== undefined) assert.equal(packet.counter, (last + (packet.payload ? 1 : 0)) % 16, `PID ${packet.pid}`);
      counters.set(packet.pid, packet.counter);
      follows(`PCR of ${packet.pid}`, packet.pcr, 0.1 * 90_000);
      follows(`DTS of ${packet.pid}`, packet.dts, 0.5 * 90_000);
    }
    assert.ok(counters.size >= 4, 'PAT, PMT, video and audio');
    assert.equal(times.size, 3);
  });
}

test('a segment has the same bytes whenever it is asked for', () => {
  assert.deepEqual(ts.segment(13), ts.segment(13));
  assert.notDeepEqual(ts.segment(13), ts.segment(5));
  assert.notDeepEqual(ts.segment(13), ts.segment(12));
});

test('what is not whole packets is refused', () => {
  assert.throws(() => new TsLoop([Buffer.alloc(188, 0x47), Buffer.alloc(100, 0x47)], 2), /not MPEG-TS/);
  assert.throws(() => new TsLoop([Buffer.alloc(188)], 2), /not MPEG-TS/);
});

// What low-latency playlists promise, as players see it across reloads and switches.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type DeliveryPromises, deliveryLines, deliveryOf } from '../../../src/hls/presentation/delivery.js';
import { Bench, list } from '../../support/bench.js';

const lines = (header: string, target: number) => {
  const tags = header.split('\n').map((line) => ({
    name: line.slice(1, line.indexOf(':')),
    value: line.slice(line.indexOf(':') + 1),
  }));
  return deliveryLines(deliveryOf(tags, target));
};
const control = (attributes: string) => `#EXT-X-SERVER-CONTROL:${attributes}`;
const parts = (target: string) => `#EXT-X-PART-INF:PART-TARGET=${target}`;

suite('the promises of an origin', () => {
  const cases: [name: string, header: string, target: number, expected: string[]][] = [
    [
      'are passed on where they hold',
      `${control('CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=24.0')}\n${parts('0.33334')}`,
      4,
      [control('CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24,PART-HOLD-BACK=1'), parts('0.33334')],
    ],
    [
      'grow with the target duration that players are shown',
      control('HOLD-BACK=6,CAN-SKIP-UNTIL=12'),
      6,
      [control('CAN-SKIP-UNTIL=36,HOLD-BACK=18')],
    ],
    [
      'to skip date ranges are not ours',
      control('CAN-SKIP-UNTIL=36,CAN-SKIP-DATERANGES=YES'),
      6,
      [control('CAN-SKIP-UNTIL=36')],
    ],
    ['on parts are completed', parts('0.5'), 4, [control('PART-HOLD-BACK=1.5'), parts('0.5')]],
    [
      'on parts that are too near to the end are mended',
      `${control('PART-HOLD-BACK=0.9')}\n${parts('0.5')}`,
      4,
      [control('PART-HOLD-BACK=1.5'), parts('0.5')],
    ],
    [
      'on parts without parts are left out',
      control('CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3'),
      4,
      [control('CAN-BLOCK-RELOAD=YES')],
    ],
    ['to block that say no are none', control('CAN-BLOCK-RELOAD=NO'), 4, []],
    ['that are no numbers are none', `${control('CAN-SKIP-UNTIL=1e9,HOLD-BACK=-1')}\n${parts('NaN')}`, 4, []],
    ['of parts of no length are none', parts('0.0001'), 4, []],
    ['of parts longer than a segment are none', parts('99999'), 4, []],
  ];
  for (const [name, header, target, expected] of cases) {
    test(name, () => assert.deepEqual(lines(header, target), expected));
  }

  test('are data for those who ask', () => {
    const expected: DeliveryPromises = {
      canBlock: true,
      skipUntilSeconds: 24,
      holdBackSeconds: undefined,
      partHoldBackSeconds: undefined,
      partTargetSeconds: undefined,
    };
    assert.deepEqual(
      deliveryOf([{ name: 'EXT-X-SERVER-CONTROL', value: 'CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24' }], 4),
      expected,
    );
  });
});

/** A list of segments of 2 s in parts of 0.5 s; the origin never lets go of a part. */
function partial(first: number, count: number, making: number, prefix = 's', header = ''): string {
  const ofSegment = (sequence: number, most = 4) =>
    Array.from(
      { length: most },
      (_, index) => `#EXT-X-PART:DURATION=0.5,URI="${prefix}${sequence}.${index}.ts"\n`,
    ).join('');
  const extra = `${parts('0.5')}\n${control('CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12,HOLD-BACK=6,PART-HOLD-BACK=1.5')}\n${header}`;
  return (
    list(first, count, { extra, prefix, before: (sequence) => ofSegment(sequence) }) + ofSegment(first + count, making)
  );
}
const partsIn = (bench: Bench) => bench.text.split('\n').filter((line) => line.startsWith('#EXT-X-PART:')).length;

suite('parts', () => {
  test('leave when they are three target durations from the end', () => {
    const bench = new Bench('A');
    for (let first = 10; first < 40; first += 1) {
      for (const making of [0, 2, 3]) {
        bench.see(partial(first, 10, making));
        assert.equal(partsIn(bench), 3 * 4 + making);
      }
      bench.now += 2000;
    }
    assert.deepEqual(bench.checker.violations, []);
  });

  test('of the origin before are not told by the promises of the next one', () => {
    const bench = new Bench('A');
    bench.see(list(10, 6, { target: 6, duration: 6 }));
    bench.now += 6000;
    bench.moveTo('B');
    bench.see(partial(500, 6, 1, 'b'));
    assert.match(bench.text, /TARGETDURATION:6\n/);
    assert.match(bench.text, /CAN-SKIP-UNTIL=36,HOLD-BACK=18,PART-HOLD-BACK=1\.5\n/);
    const shown = partsIn(bench);
    assert.ok(shown > 1);
    bench.now += 2000;
    bench.moveTo('C');
    bench.see(partial(900, 6, 1, 'c').replaceAll('DURATION=0.5', 'DURATION=0.2').replace('TARGET=0.5', 'TARGET=0.2'));
    assert.doesNotMatch(bench.text, /PART:.*"b/);
    assert.match(bench.text, /PART:.*"c/);
    bench.now += 2000;
    bench.moveTo('D');
    bench.see(list(50, 6, { prefix: 'd' }));
    assert.equal(partsIn(bench), 0);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('of a segment that is listed already are not told as those of the next one', () => {
    const bench = new Bench('A');
    bench.see(partial(10, 6, 2));
    bench.now += 500;
    bench.moveTo('B');
    assert.equal(bench.see(partial(9, 6, 3)), 'joined');
    assert.equal(bench.window?.tailParts, 0);
    assert.ok(bench.text.endsWith('s15.ts?weir=A\n'), bench.text);
    assert.deepEqual(bench.checker.violations, []);
  });

  test('of a playlist that does not tell their target are left out', () => {
    const bench = new Bench('A');
    bench.see(`${list(10, 6)}#EXT-X-PART:DURATION=0.5,URI="p"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="q"\n`);
    assert.doesNotMatch(bench.text, /PART/);
  });
});

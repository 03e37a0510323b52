// A plan as text: what was written is read again, and nothing that this edge could not follow.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appendPeriod, withStretch } from '../../../src/hls/plan/changes.js';
import { listName, maxPlanChars, readPlan, writePlan } from '../../../src/hls/plan/codec.js';
import { maxLists, maxPeriods, maxStretches, numberStep, type Plan, type Stretch } from '../../../src/hls/plan/plan.js';

const name = (index: number) => listName({ suffix: `/${index}.m3u8`, pin: '', originQuery: '' });

function stretch(period: number, first: number): Stretch {
  const measured = { clockMs: 1_700_000_000_123, behindSeconds: 123.456, at: 1_700_000_000_123, segmentSeconds: 1.933 };
  return { period, from: 1e9 + first, first, discontinuity: first, tagged: true, state: 'firm', ...measured };
}

/** As much as a plan can hold. */
function full(): Plan {
  let plan: Plan | undefined;
  for (let count = 0; count < 2 * maxPeriods; count += 1) {
    const number = 1.7e12 + count * numberStep;
    const period = { number, source: 'aaaaaaaa', incarnation: 'abcdefghijkl', base: -5, shared: false };
    const by = 'b'.repeat(255);
    plan = appendPeriod(plan, { ...period, by, at: 1.7e12 }, name(0), stretch(number, 2e9 + count));
    for (let index = 1; index < 2 * maxLists; index += 1)
      plan = withStretch(plan, name(index), stretch(number, 2e9 + count)) ?? plan;
  }
  if (plan === undefined) throw new Error('unreachable');
  return plan;
}

test('the largest plan is within its bounds, and is read as it was written', () => {
  const plan = full();
  assert.equal(plan.periods.length, maxPeriods);
  assert.equal(plan.lists.size, maxLists);
  assert.ok([...plan.lists.values()].every((stretches) => stretches.length <= maxStretches));
  const text = writePlan(plan);
  assert.ok(text.length < maxPlanChars, `${text.length} characters`);
  assert.deepEqual(readPlan(text), plan);
});

test('what is no plan, or one that goes back, is not followed', () => {
  const plan = full();
  const [list] = plan.lists.keys();
  const stretches = plan.lists.get(list ?? '') ?? [];
  const changed = (lists: readonly Stretch[]) =>
    writePlan({ ...plan, lists: new Map([...plan.lists, [list ?? '', lists]]) });
  const wrong = [
    '',
    '{}',
    'null',
    '[]',
    '"x"',
    'x'.repeat(maxPlanChars + 1),
    writePlan(plan).replace('"version":1', '"version":2'),
    writePlan({ ...plan, periods: [] }),
    writePlan({ ...plan, periods: plan.periods.toReversed() }),
    changed([]),
    changed(stretches.toReversed()),
    changed([{ ...stretch(1, 1), first: 1.5 }]),
    changed([{ ...stretch(1, 1), from: -1 }]),
    changed([{ ...stretch(1, 1), discontinuity: 2 ** 53 }]),
    changed([{ ...stretch(1, 1), at: Number.NaN }]),
  ];
  for (const text of wrong) assert.equal(readPlan(text), undefined, text.slice(0, 100));
});

test('playlists have different names, however they are called', () => {
  const names = [
    { suffix: '.m3u8', pin: '', originQuery: '' },
    { suffix: '', pin: '.m3u8', originQuery: '' },
    { suffix: '', pin: '', originQuery: '.m3u8' },
    { suffix: '__proto__', pin: '', originQuery: '' },
  ].map(listName);
  assert.equal(new Set(names).size, names.length);
});

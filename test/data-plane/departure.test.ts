import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Departure } from '../../src/data-plane/departure.js';

function setUp() {
  let now = 0;
  let tick: (() => void) | undefined;
  const dismissed: number[] = [];
  const departure = new Departure((askedBefore) => dismissed.push(askedBefore), {
    now: () => now,
    every: (_ms, run) => {
      tick = run;
      return () => {
        tick = undefined;
      };
    },
  });
  const pass = (ms: number) => {
    const end = now + ms;
    while (now < end) {
      now += 1_000;
      tick?.();
    }
  };
  return { departure, dismissed, pass, isTicking: () => tick !== undefined };
}

test('viewers are let alone for their time, and then only those go whose time is over', () => {
  const { departure, dismissed, pass } = setUp();
  pass(5_000);
  departure.set(10_000);
  assert.equal(departure.isLeaving, true);
  pass(9_000);
  assert.deepEqual(dismissed, []);
  pass(2_000);
  assert.deepEqual(dismissed, [5_000, 6_000]);
});

test('the same order again gives no more time', () => {
  const { departure, dismissed, pass } = setUp();
  departure.set(10_000);
  pass(6_000);
  departure.set(10_000);
  pass(4_000);
  assert.deepEqual(dismissed, [0]);
});

test('back in service nobody goes', () => {
  const { departure, dismissed, pass, isTicking } = setUp();
  departure.set(3_000);
  pass(2_000);
  departure.set(undefined);
  pass(10_000);
  assert.deepEqual(dismissed, []);
  assert.equal(departure.isLeaving, false);
  assert.equal(isTicking(), false);
});

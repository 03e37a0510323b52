import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { project } from '../../src/balancer/simplex.js';

function shares(weights: readonly number[], scores: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  const out = new Float64Array(weights.length);
  project(
    Float64Array.from(weights, (weight) => weight / sum),
    Float64Array.from(scores),
    weights.length,
    out,
  );
  return [...out];
}

const near = (actual: readonly number[], expected: readonly number[]) =>
  actual.forEach((value, i) => {
    assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-9, `${actual} is not ${expected}`);
  });

test('shares follow the weights, tilted to lower scores, none below zero', () => {
  near(shares([1, 1, 2], [0.3, 0.3, 0.3]), [0.25, 0.25, 0.5]);
  near(shares([1, 1], [0, 0.2]), [0.55, 0.45]);
  near(shares([1, 1], [0, 100]), [1, 0]);
  near(shares([1, 1, 1], [0, 0, 100]), [0.5, 0.5, 0]);
  near(shares([0, 1], [0, 5]), [0, 1]);
  near(shares([1], [7]), [1]);
});

test('whatever the weights and scores, shares are a distribution and order as the scores do', () => {
  const row = fc.tuple(fc.double({ min: 0.02, max: 30, noNaN: true }), fc.double({ min: 0, max: 1e5, noNaN: true }));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
      const scores = rows.map(([, score]) => score);
      const found = shares(
        rows.map(([weight]) => weight),
        scores,
      );
      assert.ok(Math.abs(found.reduce((a, b) => a + b, 0) - 1) < 1e-6);
      assert.ok(found.every((share) => share >= 0));
      assert.ok((found[scores.indexOf(Math.min(...scores))] ?? 0) > 0);
    }),
  );
});

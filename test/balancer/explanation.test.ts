import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyPicked } from '../../src/balancer/explanation.js';
import { createPolicy } from '../../src/balancer/policies.js';
import type { Terms } from '../../src/balancer/policy.js';
import type { EndpointId } from '../../src/model.js';

const a = 'a' as EndpointId;
const b = 'b' as EndpointId;
const byScore = {};
const two = (first: Terms, second: Terms) => [
  { id: a, terms: first },
  { id: b, terms: second },
];

test('why one is picked is said in a sentence', () => {
  const lowest = two({ score: 0.1, share: 1, gain: 0 }, { score: 0.5, share: 0, gain: 0 });
  assert.equal(whyPicked(byScore, a, lowest, false), 'lowest score');
  const tie = two({ score: 0.1, share: 0.6, gain: 0 }, { score: 0.11, share: 0.4, gain: 0 });
  assert.equal(whyPicked(byScore, a, tie, false), 'lowest score, a tie: shares 60/40');
  const shared = two({ score: 0.4, share: 0.22, gain: 0.3 }, { score: 0.3, share: 0.78, gain: 0.3 });
  const why = 'second lowest score: 30 % of the load is taken to be our traffic, shares 78/22';
  assert.equal(whyPicked(byScore, a, shared, false), why);
  assert.equal(whyPicked(byScore, a, shared, true), 'its HLS stays here: second lowest score, within the margin');
  assert.equal(whyPicked(byScore, a, shared.slice(0, 1), false), 'the only one that can be picked');
  assert.equal(whyPicked(byScore, b, two({ score: 0.4 }, { score: 0.3 }), false), 'lowest score');
  assert.equal(whyPicked(createPolicy('round-robin'), a, two({ score: 4 }, { score: 3 }), false), 'picked longest ago');
});

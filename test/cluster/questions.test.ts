import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Questions } from '../../src/cluster/questions.js';

const relays = { about: 'relays' } as const;
/** Far away: a test ends the question before. */
const never = 1_000_000;

function asked(deadlineMs = never) {
  const questions = new Questions();
  const sent: number[] = [];
  const answer = questions.ask(relays, deadlineMs, ({ id }) => sent.push(id) > 0);
  return { questions, answer, id: sent[0] ?? Number.NaN };
}

test('each answer goes to its own question', async () => {
  const questions = new Questions();
  const ids: number[] = [];
  const ask = () => questions.ask(relays, never, ({ id }) => ids.push(id) > 0);
  const both = Promise.all([ask(), ask()]);
  const [first = 0, second = 0] = ids;
  assert.notEqual(first, second);
  questions.answered({ kind: 'answer', id: second, answer: ['second'] as never });
  questions.answered({ kind: 'answer', id: first, answer: ['first'] as never });
  assert.deepEqual(await both, [['first'], ['second']]);
});

test("a worker's refusal keeps its code and its words", async () => {
  const { questions, answer, id } = asked();
  questions.answered({ kind: 'refusal', id, code: 'unknown_channel', message: 'No such channel.' });
  await assert.rejects(answer, { code: 'unknown_channel', message: 'No such channel.' });
});

test('a question that cannot be sent fails at once', async () => {
  const questions = new Questions();
  await assert.rejects(
    questions.ask(relays, never, () => false),
    { code: 'internal', message: 'The worker does not keep up.' },
  );
  // Nothing is left to fail.
  questions.end();
});

test('an answer in time is waited for, and one that comes too late is ignored', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { questions, answer, id } = asked(1_000);
  t.mock.timers.tick(1_000);
  await assert.rejects(answer, { code: 'internal', message: 'The worker did not answer in time.' });
  questions.answered({ kind: 'answer', id, answer: [] as never });
});

test('all questions fail when the worker ends', async () => {
  const { questions, answer } = asked();
  questions.end();
  await assert.rejects(answer, { code: 'internal', message: 'The worker ended.' });
});

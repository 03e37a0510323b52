import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeadlineQueue } from '../../src/registry/deadline-queue.js';

test('whatever is added, moved and removed, the earliest deadline comes first', () => {
  const key = fc.integer({ min: 0, max: 20 });
  const step = fc.oneof(
    fc.record({ key, deadline: fc.integer({ min: 0, max: 50 }) }),
    fc.record({ key, deadline: fc.constant(undefined) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new DeadlineQueue<number>();
      const model = new Map<number, number>();
      for (const { key, deadline } of steps) {
        if (deadline === undefined) {
          queue.delete(key);
          model.delete(key);
        } else {
          queue.set(key, deadline);
          model.set(key, deadline);
        }
        const { first } = queue;
        assert.equal(first?.deadline, model.size === 0 ? undefined : Math.min(...model.values()));
        if (first !== undefined) assert.equal(model.get(first.key), first.deadline);
      }
      let last = -1;
      for (let first = queue.first; first !== undefined; first = queue.first) {
        assert.ok(first.deadline >= last);
        last = first.deadline;
        queue.delete(first.key);
        assert.ok(model.delete(first.key));
      }
      assert.equal(model.size, 0);
    }),
  );
});

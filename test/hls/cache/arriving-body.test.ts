import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArrivingBody } from '../../../src/hls/cache/arriving-body.js';

/** Takes as much as the test says. */
function reader(body: ArrivingBody, taken = 0) {
  const reading = {
    taken,
    declared: 0,
    dropped: false,
    progress: () => {
      reading.declared += 1;
    },
    drop: () => {
      reading.dropped = true;
    },
  };
  body.follow(reading);
  return reading;
}

function bodyOf(...chunks: string[]): ArrivingBody {
  const body = new ArrivingBody();
  for (const chunk of chunks) body.push(Buffer.from(chunk));
  return body;
}

test('what all have taken is let go, and nothing that the slowest still needs', () => {
  const body = bodyOf('ab', 'cde', 'f');
  const slow = reader(body, 1);
  reader(body, 3);
  assert.equal(body.release(), 2);
  assert.deepEqual([body.chunk(0), body.chunk(1)?.toString()], [undefined, 'cde']);
  assert.equal(body.release(), 0);
  slow.taken = 3;
  assert.equal(body.release(), 4);
  assert.equal(body.arrived, 3);
});

test('those furthest behind are dropped only where somebody would have to wait for them', () => {
  const body = bodyOf('a', 'b', 'c');
  const last = reader(body, 1);
  const middle = reader(body, 2);
  body.release();
  assert.equal(body.dropLast(), false);
  const first = reader(body, 3);
  assert.equal(body.dropLast(), true);
  assert.deepEqual([last.dropped, middle.dropped, first.dropped], [true, false, false]);
  assert.equal(body.release(), 1);
  body.tell();
  assert.deepEqual([last.declared, middle.declared, first.declared], [0, 1, 1]);
});

test('a body of one chunk does not keep a larger buffer alive, and one of none is empty', () => {
  const slab = Buffer.alloc(1000, 'x');
  const body = new ArrivingBody();
  body.push(slab.subarray(10, 20));
  const whole = body.whole(10);
  assert.equal(whole.toString(), 'xxxxxxxxxx');
  assert.ok(whole.buffer !== slab.buffer);
  assert.equal(bodyOf('ab', 'c').whole(3).toString(), 'abc');
  assert.equal(bodyOf().whole(0).length, 0);
});

test('who has left is told nothing, and leaves once', () => {
  const body = bodyOf();
  const gone = reader(body);
  assert.equal(body.isFollowed, true);
  assert.deepEqual([body.leave(gone), body.leave(gone), body.isFollowed], [true, false, false]);
  body.tell();
  assert.equal(gone.declared, 0);
});

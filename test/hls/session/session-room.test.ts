import assert from 'node:assert/strict';
import { beforeEach, suite, test } from 'node:test';
import { SessionRoom, type Shelf, type Tenant } from '../../../src/hls/session/session-room.js';

/** A session as the room sees it. */
class Guest implements Tenant<Guest> {
  isProven = false;
  isRegular = false;
  isShared = false;
  bytes = 0;
  usedAt = now;
  shelf: Shelf<Guest> | undefined;
  readonly key: string;
  readonly client: string;
  readonly channel: string;
  shrinkable = 0;
  constructor(key: string, client = 'somebody', channel = 'news') {
    this.key = key;
    this.client = client;
    this.channel = channel;
  }

  shrink(): boolean {
    const bytes = this.shrinkable;
    this.shrinkable = 0;
    this.bytes -= bytes;
    room.changed(this, -bytes);
    return bytes > 0;
  }

  prove(): this {
    this.isProven = true;
    room.changed(this);
    return this;
  }

  /** Asked for again. */
  watch(): this {
    this.isRegular = true;
    return this.use();
  }

  use(): this {
    this.usedAt = now;
    room.changed(this);
    return this;
  }

  grow(bytes: number): this {
    this.bytes += bytes;
    room.changed(this, bytes);
    return this;
  }
}

let now: number;
let room: SessionRoom<Guest>;
let gone: string[];
function roomFor(maxSessions: number, sessionMemory = 1_000_000): void {
  now = 0;
  gone = [];
  room = new SessionRoom<Guest>(
    { maxSessions, sessionMemory },
    () => now,
    (guest) => gone.push(guest.key),
  );
}
function come(key: string, client?: string, channel?: string): Guest {
  const guest = new Guest(key, client, channel);
  room.admit(guest);
  return guest;
}
/** Begun by somebody who asked once and was answered. */
const passBy = (key: string, client?: string, channel?: string) => come(key, client, channel).prove();
const full = { code: 'sessions_full' };
beforeEach(() => roomFor(100));

suite('sessions that no origin has answered', () => {
  test('have a small room of their own, beyond which who comes is refused', () => {
    roomFor(1000);
    for (let count = 0; count < 100; count += 1) come(`${count}`, `client ${count}`, `channel ${count}`);
    assert.throws(() => come('one more', 'a newcomer', 'another'), full);
    assert.equal(room.size, 100);
    room.find('7')?.prove();
    come('one more', 'a newcomer', 'another');
  });

  test('take a part of that room for one channel, and for one client', () => {
    roomFor(10_000);
    for (let count = 0; count < 250; count += 1) come(`a${count}`, 'stranger');
    assert.throws(() => come('x', 'stranger', 'sports'), full, 'of one client');
    for (let count = 0; count < 250; count += 1) come(`b${count}`, `client ${count}`);
    assert.throws(() => come('x', 'a newcomer'), full, 'of one channel');
    come('x', 'a newcomer', 'sports');
  });
});

suite('sessions that were asked for once', () => {
  test('leave first, however many there are, and nothing that is watched does', () => {
    const watched = passBy('watched').watch();
    for (let count = 0; count < 1000; count += 1) {
      now += 1;
      passBy(`${count}`, `client ${count}`, `channel ${count}`);
    }
    assert.equal(room.find('watched'), watched);
    assert.equal(room.size, 100);
    assert.deepEqual(gone.slice(0, 3), ['0', '1', '2']);
  });

  test('of one client take each other the place', () => {
    roomFor(1000);
    for (let count = 0; count < 50; count += 1) passBy(`b${count}`, `client ${count}`, `channel ${count}`);
    for (let count = 0; count < 300; count += 1) {
      now += 1;
      passBy(`a${count}`, 'stranger', `channel ${count}`);
    }
    assert.equal([...room].filter(({ client }) => client === 'stranger').length, 100);
    assert.equal([...room].length, 150);
    assert.equal(gone[0], 'a0');
  });

  test('of one channel do so, too', () => {
    roomFor(1000);
    passBy('other', 'somebody', 'sports');
    for (let count = 0; count < 300; count += 1) passBy(`${count}`, `client ${count}`);
    assert.equal(room.size, 251);
    assert.ok(room.find('other') !== undefined);
  });
});

suite('sessions that somebody watches', () => {
  function fill(count: number, client = (index: number) => `client ${index}`): void {
    for (let index = 0; index < count; index += 1) passBy(`v${index}`, client(index)).watch();
  }

  test('never leave because somebody else comes', () => {
    fill(100);
    now += 9_000;
    assert.throws(() => come('x', 'a newcomer'), full);
    assert.deepEqual(gone, []);
  });

  test('leave when nobody asked for a while, the least recently used first', () => {
    fill(100);
    now += 5_000;
    for (const guest of [...room]) if (guest.key !== 'v42') guest.use();
    now += 6_000;
    passBy('x', 'a newcomer');
    assert.deepEqual(gone, ['v42']);
    assert.throws(() => come('y', 'another newcomer').prove().watch() && come('z', 'one more'), full);
  });

  test('that several have together leave later than those of one', () => {
    fill(100);
    for (const guest of [...room]) {
      guest.isShared = guest.key !== 'v99';
      guest.use();
    }
    now += 20_000;
    room.find('v99')?.use();
    assert.throws(() => come('x', 'a newcomer'), full);
    now += 10_000;
    come('x', 'a newcomer');
    assert.deepEqual(gone, ['v99']);
  });

  test('of a client that has more than its part make room for others, not for its own', () => {
    fill(100, (index) => (index < 40 ? 'crowd' : `client ${index}`));
    assert.throws(() => come('x', 'crowd'), full);
    come('y', 'a newcomer');
    assert.deepEqual(gone, ['v0']);
  });
});

suite('memory', () => {
  test('is bounded: those asked for once leave first, then those of whom has most, then the least recently used', () => {
    roomFor(1000, 1000);
    const kept = passBy('kept', 'a').watch().grow(300);
    now += 1;
    for (let count = 0; count < 10; count += 1) passBy(`s${count}`, `client ${count}`).grow(100);
    assert.deepEqual(gone, ['s0', 's1', 's2']);
    for (let count = 0; count < 10; count += 1) passBy(`b${count}`, 'b').watch().grow(100);
    assert.ok(room.bytes <= 1000, String(room.bytes));
    assert.ok(room.find('kept') === kept);
    assert.ok(room.find('b9') !== undefined);
  });

  test('of sessions that leave is given back, and one that grows by itself lets go of what it does not need', () => {
    roomFor(1000, 1000);
    const guest = passBy('a').watch().grow(900);
    guest.shrinkable = 600;
    guest.grow(400);
    assert.equal(room.bytes, 700);
    room.end(guest);
    assert.equal(room.bytes, 0);
    assert.equal(room.size, 0);
    room.end(guest);
    assert.equal(room.bytes, 0, 'only once');
  });
});

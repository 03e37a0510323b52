import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeirError } from '../../src/errors.js';
import type { ChannelName } from '../../src/model.js';
import { type Occupant, Rooms } from '../../src/relay/rooms.js';

const settings = { maxRelays: 10, maxChannelRelays: 4 };
type Stream = { -readonly [K in keyof Occupant]: Occupant[K] } & { readonly name: string };

let made = 0;
/** Asks, and enters where there is room; who has to end for it, ends. */
function enter(rooms: Rooms<Stream>, channel: string, client: string | undefined = `client ${made}`): Stream {
  made += 1;
  const stream = {
    name: `${channel} ${made}`,
    channel: channel as ChannelName,
    client,
    proven: false,
    idleSince: undefined,
  };
  const leaving = rooms.ask(stream);
  if (leaving !== undefined) rooms.delete(leaving);
  rooms.add(stream);
  return stream;
}
function prove(rooms: Rooms<Stream>, stream: Stream): string[] | undefined {
  const leaving = rooms.prove(stream);
  for (const each of leaving ?? []) rooms.delete(each);
  stream.proven = leaving !== undefined;
  return leaving?.map(({ name }) => name);
}
function watched(rooms: Rooms<Stream>, channel: string, client?: string): Stream {
  const stream = enter(rooms, channel, client);
  assert.deepEqual(prove(rooms, stream), []);
  return stream;
}
const refused = (act: () => unknown) =>
  assert.throws(act, (error: unknown) => error instanceof WeirError && error.code === 'relay_full');
const names = (rooms: Rooms<Stream>) => [...rooms].map(({ name }) => name);

test('a channel never takes more than its own room', () => {
  const rooms = new Rooms<Stream>(settings);
  for (let count = 0; count < 4; count += 1) watched(rooms, 'news');
  refused(() => enter(rooms, 'news'));
  watched(rooms, 'sports');
});

test('what is only tried takes no room of what is watched, and the other way round', () => {
  const rooms = new Rooms<Stream>(settings);
  for (let count = 0; count < 4; count += 1) enter(rooms, 'news');
  refused(() => enter(rooms, 'news'));
  const [tried] = rooms;
  assert.ok(tried !== undefined);
  assert.deepEqual(prove(rooms, tried), []);
  enter(rooms, 'news');
  refused(() => enter(rooms, 'news'));
});

test('one client never takes the room of a channel', () => {
  const rooms = new Rooms<Stream>(settings);
  watched(rooms, 'news', 'greedy');
  refused(() => enter(rooms, 'news', 'greedy'));
  for (let count = 0; count < 3; count += 1) watched(rooms, 'news');
  watched(rooms, 'sports', 'greedy');
});

test('a client that goes on to another stream ends the one it left', () => {
  const rooms = new Rooms<Stream>(settings);
  const left = watched(rooms, 'news', 'zapper');
  left.idleSince = 5;
  const next = enter(rooms, 'news', 'zapper');
  assert.deepEqual(names(rooms), [next.name]);
});

test('other workers have no share: they limit their own clients', () => {
  const rooms = new Rooms<Stream>(settings);
  for (let count = 0; count < 4; count += 1) {
    const stream: Stream = {
      name: `${count}`,
      channel: 'news' as ChannelName,
      client: undefined,
      proven: false,
      idleSince: undefined,
    };
    assert.equal(rooms.ask(stream), undefined);
    rooms.add(stream);
  }
});

test('in a full room the one that nobody watches for longest ends, and only once the new one is proven', () => {
  const rooms = new Rooms<Stream>(settings);
  const streams = Array.from({ length: 10 }, (_, index) => watched(rooms, `channel ${index}`));
  refused(() => enter(rooms, 'news'));
  for (const [index, idleSince] of [
    [3, 700],
    [5, 200],
    [7, 900],
  ] as const)
    Object.assign(streams[index] ?? {}, { idleSince });
  const stream = enter(rooms, 'news');
  assert.equal(names(rooms).length, 11);
  assert.deepEqual(prove(rooms, stream), [streams[5]?.name]);
  assert.equal(names(rooms).length, 10);
});

test('who proves itself when all others are watched by now has no room', () => {
  const rooms = new Rooms<Stream>(settings);
  const late = [enter(rooms, 'news'), enter(rooms, 'news')];
  for (let count = 0; count < 3; count += 1) watched(rooms, 'news', `other ${count}`);
  assert.ok(late[0] !== undefined && late[1] !== undefined);
  assert.deepEqual(prove(rooms, late[0]), []);
  assert.equal(prove(rooms, late[1]), undefined);
});

test('a channel is forgotten with its last stream', () => {
  const rooms = new Rooms<Stream>(settings);
  const stream = watched(rooms, 'news');
  assert.ok(rooms.has('news' as ChannelName));
  rooms.delete(stream);
  assert.ok(!rooms.has('news' as ChannelName));
});

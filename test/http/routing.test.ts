import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { PlayerExchange } from '../../src/http/exchange.js';
import type { Route, RouteKind } from '../../src/http/route.js';
import { type Flv, type Ownership, peerRoutes, playerRoutes } from '../../src/http/routing.js';
import type { RouteHandler } from '../../src/http/server.js';
import type { ChannelName } from '../../src/model.js';
import type { Relays, SubscribeRequest } from '../../src/relay/relays.js';

const news = 'news' as ChannelName;
const route = (kind: RouteKind): Route => ({ kind, channel: news, path: '/live/news', suffix: '', query: '' });

/** Says who answered. */
class Answers {
  readonly log: string[] = [];

  by(who: string, holds = false): RouteHandler {
    return { handle: () => void this.log.push(who), holds: () => holds };
  }

  get exchange(): PlayerExchange {
    const failed = ({ code }: { code: string }) => void this.log.push(code);
    const request = { method: 'GET', headers: {}, httpVersion: '1.1', socket: { bytesWritten: 0 } };
    return { failed, request, ended() {}, hop: {}, edge: { audience: 'peers' } } as unknown as PlayerExchange;
  }

  /** Of a destroyed connection: an error is counted, and nothing is written. */
  readonly response = { destroyed: true, destroy() {}, prependListener() {} } as unknown as ServerResponse;

  relays({ isFromPeer = false, holds = false } = {}): Relays {
    const subscribe = (_request: SubscribeRequest) => {
      this.log.push('the relay');
      return { cancel() {} };
    };
    return { subscribe, isFromPeer: () => isFromPeer, holds: () => holds } as unknown as Relays;
  }

  hls(holds = false) {
    return {
      own: this.by('our HLS', holds),
      elsewhere: this.by("the owner's HLS", holds),
      forPeers: this.by('HLS for peers', holds),
    };
  }
}

const flvBy = (answers: Answers): Flv => ({
  handle: () => void answers.log.push('FLV'),
  upgrade: () => void answers.log.push('WebSocket'),
});
const placed = (owns: boolean, isElsewhere = !owns) =>
  ({ owns: () => owns, isElsewhere: () => isElsewhere }) satisfies Ownership;

test('players get FLV from FLV, and all else of a channel from its HLS here or at its owner', () => {
  const asked = (ownership: Ownership) => {
    const answers = new Answers();
    const routes = playerRoutes(ownership, flvBy(answers), answers.hls(), answers.relays());
    for (const kind of ['flv', 'playlist', 'object'] as const) {
      routes.handle(answers.exchange, route(kind), answers.response);
    }
    routes.upgrade(answers.exchange, route('flv'), {} as Socket, Buffer.alloc(0));
    return answers.log;
  };
  assert.deepEqual(asked(placed(true)), ['FLV', 'our HLS', 'our HLS', 'WebSocket']);
  assert.deepEqual(asked(placed(false)), ['FLV', "the owner's HLS", "the owner's HLS", 'WebSocket']);
});

test('another worker gets what is ours, and is refused what is not', () => {
  const asked = (ownership: Ownership, kind: RouteKind, isFromPeer = false) => {
    const answers = new Answers();
    const routes = peerRoutes(ownership, answers.hls(), answers.relays({ isFromPeer }));
    routes.handle(answers.exchange, route(kind), answers.response);
    return answers.log;
  };
  assert.deepEqual(asked(placed(true), 'flv'), ['the relay']);
  assert.deepEqual(asked(placed(true), 'playlist'), ['HLS for peers']);
  for (const kind of ['flv', 'playlist', 'object'] as const)
    assert.deepEqual(asked(placed(false), kind), ['not_owner']);
  assert.deepEqual(asked(placed(true), 'flv', true), ['not_owner'], 'what comes from a worker goes to none');
  // A worker that drains: its streams go on, who asks for HLS is sent to the next owner.
  assert.deepEqual(asked(placed(true, true), 'flv'), ['the relay']);
  assert.deepEqual(asked(placed(true, true), 'object'), ['not_owner']);
});

test('a channel is held while its relay or its HLS sessions hold it', () => {
  const held = (relay: boolean, hls: boolean) => {
    const answers = new Answers();
    const relays = answers.relays({ holds: relay });
    const players = playerRoutes(placed(true), flvBy(answers), answers.hls(hls), relays);
    const peers = peerRoutes(placed(true), answers.hls(hls), relays);
    return [players.holds(news), peers.holds(news)];
  };
  assert.deepEqual(held(false, false), [false, false]);
  assert.deepEqual(held(true, false), [true, true]);
  assert.deepEqual(held(false, true), [true, true]);
});

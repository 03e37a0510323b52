import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { createHls, type HlsParts } from '../../src/data-plane/hls.js';
import { type Flv, peerRoutes, playerRoutes } from '../../src/data-plane/routing.js';
import type { PlayerExchange } from '../../src/http/exchange.js';
import type { Route, RouteKind } from '../../src/http/route.js';
import type { RouteHandler } from '../../src/http/server.js';
import type { ChannelName } from '../../src/model.js';
import type { Relays, SubscribeRequest } from '../../src/relay/relays.js';
import type { Sharding } from '../../src/sharding/sharding.js';
import { testConfig } from '../support/data-plane.js';

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
    const none = () => assert.fail('no part of routing');
    return {
      forPlayers: this.by('HLS for players', holds),
      forPeers: this.by('HLS for peers', holds),
      describe: none,
      collect: none,
      newStates: none,
      adopt: none,
      releaseElsewhere: none,
      close: none,
    };
  }
}

const flvBy = (answers: Answers): Flv => ({
  handle: () => void answers.log.push('FLV'),
  upgrade: () => void answers.log.push('WebSocket'),
});
const placed = (owns: boolean, isElsewhere = !owns) =>
  ({ owns: () => owns, isElsewhere: () => isElsewhere }) as unknown as Sharding;

test('players get FLV from FLV, and all else of a channel from HLS', () => {
  const answers = new Answers();
  const routes = playerRoutes(flvBy(answers), answers.hls(), answers.relays());
  for (const kind of ['flv', 'playlist', 'object'] as const) {
    routes.handle(answers.exchange, route(kind), answers.response);
  }
  routes.upgrade(answers.exchange, route('flv'), {} as Socket, Buffer.alloc(0));
  assert.deepEqual(answers.log, ['FLV', 'HLS for players', 'HLS for players', 'WebSocket']);
});

test('another worker gets what is ours, and is refused what is not', () => {
  const asked = (sharding: Sharding, kind: RouteKind, isFromPeer = false) => {
    const answers = new Answers();
    const routes = peerRoutes(sharding, answers.hls(), answers.relays({ isFromPeer }));
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
    const players = playerRoutes(flvBy(answers), answers.hls(hls), relays);
    const peers = peerRoutes(placed(true), answers.hls(hls), relays);
    return [players.holds(news), peers.holds(news)];
  };
  assert.deepEqual(held(false, false), [false, false]);
  assert.deepEqual(held(true, false), [true, true]);
  assert.deepEqual(held(false, true), [true, true]);
});

test('HLS that is passed through is asked of the endpoints by each worker, and of no worker', () => {
  const answers = new Answers();
  const parts = { passedThrough: answers.by('the endpoint') } as unknown as HlsParts;
  const hls = createHls(testConfig({ hls: { mode: 'passthrough' } }), parts);
  hls.forPlayers.handle(answers.exchange, route('playlist'), answers.response);
  hls.forPeers.handle(answers.exchange, route('playlist'), answers.response);
  assert.deepEqual(answers.log, ['the endpoint', 'not_found']);
  assert.deepEqual(hls.describe(), { sessions: [], cache: { objects: 0, bytes: 0 } });
  hls.close();
});

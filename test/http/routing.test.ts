import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { PlayerExchange } from '../../src/http/exchange.js';
import type { Route, RouteKind } from '../../src/http/route.js';
import { edgeRoutes, type Flv, type Ownership, peerRoutes, playerRoutes } from '../../src/http/routing.js';
import type { RouteHandler } from '../../src/http/server.js';
import type { ChannelName, PeerKind } from '../../src/model.js';
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
    return this.asking({});
  }

  asking(headers: Record<string, string>, draining = false): PlayerExchange {
    const failed = ({ code }: { code: string }) => void this.log.push(code);
    const request = { method: 'GET', headers, httpVersion: '1.1', socket: { bytesWritten: 0 } };
    const edge = { audience: 'peers', draining: () => draining };
    return { failed, request, ended() {}, hop: {}, edge } as unknown as PlayerExchange;
  }

  /** Of a destroyed connection: an error is counted, and nothing is written. */
  readonly response = { destroyed: true, destroy() {}, prependListener() {} } as unknown as ServerResponse;

  relays({ fromPeer = undefined as PeerKind | undefined, holds = false } = {}): Relays {
    const subscribe = (_request: SubscribeRequest) => {
      this.log.push('the relay');
      return { cancel() {} };
    };
    return { subscribe, fromPeer: () => fromPeer, holds: () => holds } as unknown as Relays;
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
const placed = (owns: boolean, elsewhere: PeerKind | undefined = owns ? undefined : 'worker') =>
  ({ owns: () => owns, elsewhere: () => elsewhere }) satisfies Ownership;

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
  const asked = (ownership: Ownership, kind: RouteKind, fromPeer?: PeerKind, forEdge = false) => {
    const answers = new Answers();
    const routes = peerRoutes(ownership, answers.hls(), answers.relays({ fromPeer }));
    routes.handle(answers.asking(forEdge ? { 'x-weir-edge': '1' } : {}), route(kind), answers.response);
    return answers.log;
  };
  assert.deepEqual(asked(placed(true), 'flv'), ['the relay']);
  assert.deepEqual(asked(placed(true), 'playlist'), ['HLS for peers']);
  for (const kind of ['flv', 'playlist', 'object'] as const)
    assert.deepEqual(asked(placed(false), kind), ['not_owner']);
  assert.deepEqual(asked(placed(true), 'flv', 'worker'), ['not_owner'], 'what comes from a worker goes to none');
  // A worker that drains: its streams go on, who asks for HLS is sent to the next owner.
  assert.deepEqual(asked(placed(true, 'worker'), 'flv'), ['the relay']);
  assert.deepEqual(asked(placed(true, 'worker'), 'object'), ['not_owner']);
  // What another edge has, this worker takes from there for all the others.
  assert.deepEqual(asked(placed(true, 'edge'), 'flv', 'edge'), ['the relay']);
  assert.deepEqual(asked(placed(true, 'edge'), 'playlist'), ['HLS for peers']);
  assert.deepEqual(asked(placed(true), 'flv', undefined, true), ['the relay'], 'for an edge');
  assert.deepEqual(asked(placed(true), 'flv', 'edge', true), ['not_owner'], 'what comes from an edge goes to none');
  assert.deepEqual(asked(placed(true, 'edge'), 'flv', undefined, true), ['not_owner'], 'nor what another edge has');
});

test('another edge gets streams that come from an origin, of this worker or handed on from another one', () => {
  const asked = (
    elsewhere: PeerKind | undefined,
    { kind = 'flv' as RouteKind, fromPeer = undefined as PeerKind | undefined, draining = false } = {},
  ) => {
    const answers = new Answers();
    const routes = edgeRoutes(placed(true, elsewhere), answers.relays({ fromPeer }), answers.by('the worker'));
    routes.handle(answers.asking({}, draining), route(kind), answers.response);
    return answers.log;
  };
  assert.deepEqual(asked(undefined), ['the relay']);
  assert.deepEqual(asked('worker'), ['the worker']);
  assert.deepEqual(asked('edge'), ['not_owner']);
  assert.deepEqual(asked(undefined, { fromPeer: 'edge' }), ['not_owner'], 'a stream that has not moved yet');
  assert.deepEqual(asked(undefined, { draining: true }), ['not_owner']);
  for (const kind of ['playlist', 'object'] as const) assert.deepEqual(asked(undefined, { kind }), ['not_owner']);
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

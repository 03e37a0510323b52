// All HLS sessions of a data plane: found by whom they are for, ended when nobody asks any more.

import type { ChannelName, ServiceAddress } from '../model.js';
import { ObjectCache } from './cache.js';
import { endpointTag } from './pin.js';
import { pinKeys } from './pin-keys.js';
import { Session } from './session.js';
import type { SessionContext } from './session-context.js';
import { type SessionName, sessionKey } from './session-name.js';
import { SessionRoom } from './session-room.js';
import { type SessionState, StateLog } from './session-state.js';

const sweepInterval = 5_000;
/** ms without a request after which a session lets go of its endpoint. */
const restAfter = 30_000;
/** Addresses whose names are remembered; one that left may be asked for once more. */
const mostTags = 100_000;

export class HlsSessions {
  readonly context: SessionContext;
  readonly #room: SessionRoom<Session>;
  readonly #byChannel = new Map<ChannelName, Set<Session>>();
  /** Names of the addresses that are registered. */
  readonly #tags = new Map<ServiceAddress, string>();
  /** Of another process, for players who have not come here yet. As many as the supervisor kept. */
  readonly #adopted = new Map<string, { readonly state: SessionState; readonly at: number }>();
  readonly #log = new StateLog();
  readonly #timer: NodeJS.Timeout;
  readonly #unsubscribe: () => void;

  /** `machineSecret` signs where the settings have no secret. */
  constructor({
    machineSecret,
    ...options
  }: Omit<SessionContext, 'cache' | 'keys' | 'tagOf'> & { readonly machineSecret: string }) {
    const { settings, now, clock, metrics, store } = options;
    const cache = new ObjectCache(
      {
        maxBytes: settings.cacheSize,
        maxObject: settings.maxObject,
        staleIfError: settings.staleIfError,
        errorLifetime: settings.errorMaxAge,
      },
      {
        now,
        clock,
        receive: (bytes) => {
          metrics.traffic.received.hls += bytes;
        },
      },
    );
    const keys = pinKeys(settings.pinSecret, machineSecret);
    const tagOf = (address: ServiceAddress): string => {
      const known = this.#tags.get(address);
      if (known !== undefined) return known;
      const tag = endpointTag(address, keys);
      if (this.#tags.size >= mostTags) this.#tags.clear();
      this.#tags.set(address, tag);
      return tag;
    };
    this.context = { ...options, cache, keys, tagOf };
    this.#room = new SessionRoom(settings, now, (session) => this.#ended(session));
    this.#timer = setInterval(() => this.#sweep(), sweepInterval).unref();
    // A deleted endpoint is out at once: the next request of a player has to find another one.
    this.#unsubscribe = store.subscribe((_snapshot, change) => {
      for (const { channel, address } of change.drop) {
        this.#tags.delete(address);
        for (const session of this.#byChannel.get(channel) ?? []) session.expire();
      }
      // A new one is tried at once where there was none.
      for (const { channel } of change.put) {
        for (const session of this.#byChannel.get(channel) ?? []) {
          if (session.endpoint === undefined) session.expire();
        }
      }
    });
  }

  /**
   * The session of those players, made when there is none.
   *
   * @param client who asks: an address or a network
   * @throws WeirError sessions_full when there is no room for another one
   */
  open(name: SessionName, client: string): Session {
    const known = this.find(name);
    if (known !== undefined) return known;
    const key = sessionKey(name);
    const session = new Session(name, this.context, { key, client, room: this.#room });
    const adopted = this.#adopted.get(key);
    if (adopted !== undefined) {
      this.#adopted.delete(key);
      session.restore(adopted.state);
    }
    this.#admit(session);
    const others = this.#byChannel.get(name.channel);
    if (others === undefined) this.#byChannel.set(name.channel, new Set([session]));
    else others.add(session);
    return session;
  }

  #admit(session: Session): void {
    try {
      this.#room.admit(session);
    } catch (error) {
      this.context.metrics.hlsRefusals.inc();
      throw error;
    }
  }

  find(name: SessionName): Session | undefined {
    return this.#room.find(sessionKey(name));
  }

  /** What another process would need to go on, as far as it was not told yet. */
  newStates(): SessionState[] {
    return this.#log.due([...this.#room.watched()], this.context.now());
  }

  /** Sessions of channels that are this process's now: each goes on when its first player comes. */
  adopt(states: readonly SessionState[]): void {
    const at = this.context.now();
    for (const state of states) {
      if (this.#room.find(state.key) === undefined) this.#adopted.set(state.key, { state, at });
    }
  }

  /** Another process has these channels now, and their sessions. */
  release(isGone: (channel: ChannelName) => boolean): void {
    for (const session of [...this.#room]) if (isGone(session.channel)) this.#room.end(session);
    for (const [key, { state }] of this.#adopted) if (isGone(state.channel)) this.#adopted.delete(key);
  }

  /** True while players of a channel that is out of the registry can still be served. */
  holds(channel: ChannelName): boolean {
    const sessions = this.#byChannel.get(channel);
    if (sessions === undefined) return false;
    for (const session of sessions) if (session.servesStale) return true;
    return false;
  }

  /** For `/api/v1/hls`. */
  describe() {
    const { now, cache } = this.context;
    return {
      sessions: [...this.#room].map((session) => ({
        channel: session.name.channel,
        path: session.name.stem,
        shared: session.name.partition === '',
        endpoint: session.endpoint?.address ?? null,
        idle_seconds: (now() - session.usedAt) / 1000,
        epoch: session.timeline.period?.number ?? null,
        last_switch: describeSwitch(session),
        playlists: [...session.playlists].flatMap(({ rest, window }) => {
          const first = window?.entries[0];
          if (window === undefined || first === undefined) return [];
          return {
            path: session.name.stem + rest,
            media_sequence: first.sequence,
            segments: window.entries.length,
            discontinuity_sequence: first.discontinuitySequence - (first.discontinuity ? 1 : 0),
            target_duration_seconds: window.targetDuration,
            since_growth_seconds: (now() - window.grownAt) / 1000,
            ended: window.ended,
          };
        }),
      })),
      cache: { objects: cache.objects, bytes: cache.bytes },
    };
  }

  /** Brings the gauges up to date. */
  collect(): void {
    const { metrics, cache } = this.context;
    metrics.hlsSessions.set(this.#room.size);
    metrics.hlsSessionBytes.set(this.#room.bytes);
    metrics.hlsCacheBytes.set(cache.bytes);
    metrics.hlsCacheObjects.set(cache.objects);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#unsubscribe();
    for (const session of [...this.#room]) this.#room.end(session);
  }

  #sweep(): void {
    const now = this.context.now();
    for (const session of [...this.#room]) {
      const idle = now - session.usedAt;
      if (idle >= (session.isProven ? this.context.settings.sessionIdle : restAfter)) this.#room.end(session);
      else if (idle >= restAfter) session.choice.release();
    }
    for (const [key, { at }] of this.#adopted) {
      if (now - at >= this.context.settings.sessionIdle) this.#adopted.delete(key);
    }
  }

  #ended(session: Session): void {
    session.choice.release();
    const others = this.#byChannel.get(session.channel);
    others?.delete(session);
    if (others?.size === 0) this.#byChannel.delete(session.channel);
  }
}

export type HlsReport = ReturnType<HlsSessions['describe']>;

function describeSwitch({ choice: { lastSwitch } }: Session): unknown {
  return lastSwitch === undefined ? null : { ...lastSwitch, at: new Date(lastSwitch.at).toISOString() };
}

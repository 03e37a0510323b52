// What changed, for those who want to follow a registry rather than keep its picture.

import type { Endpoint, EndpointId } from '../model.js';
import type { RegistryNote, RegistrySink } from './registry.js';

export type EndpointChange =
  | { readonly kind: 'added'; readonly endpoint: Endpoint }
  | { readonly kind: 'changed'; readonly endpoint: Endpoint; readonly before: Endpoint }
  | { readonly kind: 'deleted'; readonly endpoint: Endpoint };

export interface ChangeListener {
  change?(change: EndpointChange, seenAt: number | undefined): void;
  status?(state: 'live' | 'stale'): void;
  note?(note: RegistryNote): void;
}

function same(a: Endpoint, b: Endpoint): boolean {
  return (
    a.version === b.version &&
    a.address === b.address &&
    a.load === b.load &&
    a.bitrate === b.bitrate &&
    a.packetLoss === b.packetLoss
  );
}

/** Keeps the picture and tells its differences: a `replace` becomes what it added, changed and deleted. */
export class ChangeSink implements RegistrySink {
  readonly endpoints = new Map<EndpointId, Endpoint>();

  constructor(private readonly listener: ChangeListener = {}) {}

  replace(all: Iterable<Endpoint>): void {
    const gone = new Set(this.endpoints.keys());
    for (const endpoint of all) {
      gone.delete(endpoint.id);
      this.put(endpoint);
    }
    for (const id of gone) this.drop(id);
  }

  put(endpoint: Endpoint, seenAt?: number): void {
    const before = this.endpoints.get(endpoint.id);
    if (before !== undefined && same(before, endpoint)) return;
    this.endpoints.set(endpoint.id, endpoint);
    this.listener.change?.(
      before === undefined ? { kind: 'added', endpoint } : { kind: 'changed', endpoint, before },
      seenAt,
    );
  }

  drop(id: EndpointId, seenAt?: number): void {
    const endpoint = this.endpoints.get(id);
    if (endpoint === undefined) return;
    this.endpoints.delete(id);
    this.listener.change?.({ kind: 'deleted', endpoint }, seenAt);
  }

  status(state: 'live' | 'stale'): void {
    this.listener.status?.(state);
  }

  note(note: RegistryNote): void {
    this.listener.note?.(note);
  }
}

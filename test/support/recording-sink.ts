// A sink that keeps everything it was told, in order, and the picture that results.

import type { Endpoint, EndpointId } from '../../src/model.js';
import type { RegistryNote, RegistrySink } from '../../src/registry/registry.js';

export type Told =
  | { readonly kind: 'replace'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'put'; readonly endpoint: Endpoint; readonly seenAt: number | undefined }
  | { readonly kind: 'drop'; readonly id: EndpointId; readonly seenAt: number | undefined }
  | { readonly kind: 'status'; readonly state: 'live' | 'stale' };

export class RecordingSink implements RegistrySink {
  readonly told: Told[] = [];
  readonly notes: RegistryNote[] = [];
  readonly endpoints = new Map<EndpointId, Endpoint>();
  state: 'pending' | 'live' | 'stale' = 'pending';

  replace(all: Iterable<Endpoint>): void {
    const endpoints = [...all];
    this.endpoints.clear();
    for (const endpoint of endpoints) this.endpoints.set(endpoint.id, endpoint);
    this.told.push({ kind: 'replace', endpoints });
  }

  put(endpoint: Endpoint, seenAt?: number): void {
    this.endpoints.set(endpoint.id, endpoint);
    this.told.push({ kind: 'put', endpoint, seenAt });
  }

  drop(id: EndpointId, seenAt?: number): void {
    this.endpoints.delete(id);
    this.told.push({ kind: 'drop', id, seenAt });
  }

  status(state: 'live' | 'stale'): void {
    this.state = state;
    this.told.push({ kind: 'status', state });
  }

  note(note: RegistryNote): void {
    this.notes.push(note);
  }

  /** The endpoints of a channel, sorted by address. */
  of(channel: string): Endpoint[] {
    const found = [...this.endpoints.values()].filter((endpoint) => endpoint.channel === channel);
    return found.sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /** The addresses of a channel, sorted. */
  addresses(channel: string): string[] {
    return this.of(channel).map(({ address }) => address);
  }

  /** `status`, `replace`, `put` and `drop` in the order they were told. */
  get sequence(): string[] {
    return this.told.map((each) => (each.kind === 'status' ? each.state : each.kind));
  }
}

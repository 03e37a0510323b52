// The reports of a registry as additions, changes and removals.

import type { Endpoint, EndpointId } from '../model.js';
import { missingWords } from '../registry/notes.js';
import type { RegistrySink } from '../registry/registry.js';
import type { ChangeKind } from './endpoint-lines.js';

export interface EndpointFollower {
  /** Called once for every endpoint that appears, reports something else, or goes. */
  change(change: ChangeKind, endpoint: Endpoint): void;
  /** The registry came into reach, with all that is known of it; or it was lost. */
  status(state: 'live' | 'stale', endpoints: readonly Endpoint[]): void;
  /** What an operator should hear of beside the endpoints. */
  warn(text: string): void;
}

/** A sink that remembers the endpoints and passes on the differences. */
export function follow(follower: EndpointFollower): RegistrySink {
  const known = new Map<EndpointId, Endpoint>();

  function put(endpoint: Endpoint): void {
    const before = known.get(endpoint.id);
    // Equal, not newer: a server that lost its data counts from the beginning.
    if (before?.version === endpoint.version && before.address === endpoint.address) return;
    known.set(endpoint.id, endpoint);
    follower.change(before === undefined ? 'added' : 'changed', endpoint);
  }

  function drop(id: EndpointId): void {
    const before = known.get(id);
    if (before === undefined) return;
    known.delete(id);
    follower.change('removed', before);
  }

  return {
    put,
    drop,
    replace(all) {
      const next = new Map([...all].map((endpoint) => [endpoint.id, endpoint]));
      for (const id of [...known.keys()]) if (!next.has(id)) drop(id);
      for (const endpoint of next.values()) put(endpoint);
    },
    status: (state) => follower.status(state, [...known.values()]),
    note(note) {
      if (note.kind === 'missing') follower.warn(missingWords(note));
    },
  };
}

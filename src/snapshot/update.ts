// Pure: how an update changes a snapshot, and what differs between two sets of endpoints.

import type { ChannelName, Endpoint, EndpointId, EndpointRef, Snapshot, Update } from '../model.js';
import { sameValues } from '../registry/reported-values.js';
import { Channels, type Draft } from './channels.js';

/** A snapshot as a store holds it: its channels can be edited and compared. */
export interface RegistrySnapshot extends Snapshot {
  readonly channels: Channels;
}

/** The snapshot before the registry was read. */
export const emptySnapshot: RegistrySnapshot = { revision: 0, state: 'pending', channels: Channels.empty };

/**
 * What an update changed, with the dropped endpoints as they were last known. An endpoint with a new address is in both lists:
 * streams must leave the old address.
 */
export interface SnapshotChange {
  readonly put: readonly Endpoint[];
  readonly drop: readonly Endpoint[];
}

/** The next snapshot and what changed; undefined when the update does not build on this snapshot (a gap). */
export function apply(
  snapshot: RegistrySnapshot,
  update: Update,
): { snapshot: RegistrySnapshot; change: SnapshotChange } | undefined {
  if (update.kind === 'full') return applyFull(snapshot, update);
  if (update.base !== snapshot.revision) return undefined;
  const { revision, state } = update;
  const drop: Endpoint[] = [];
  const channels = snapshot.channels.edit((draft) => {
    for (const ref of update.drop) {
      const channel = draft.get(ref.channel);
      const gone = channel?.endpoints.find((endpoint) => endpoint.id === ref.id);
      if (channel === undefined || gone === undefined) continue;
      drop.push(gone);
      setEndpoints(
        draft,
        channel.name,
        channel.endpoints.filter((endpoint) => endpoint !== gone),
      );
    }
    for (const endpoint of update.put) {
      const others = draft.get(endpoint.channel)?.endpoints ?? [];
      const at = others.findIndex((other) => other.id === endpoint.id);
      const before = others[at];
      if (before !== undefined && before.address !== endpoint.address) drop.push(before);
      setEndpoints(draft, endpoint.channel, at < 0 ? [...others, endpoint] : others.with(at, endpoint));
    }
  });
  return { snapshot: { revision, state, channels }, change: { put: update.put, drop } };
}

function applyFull(snapshot: RegistrySnapshot, { revision, state, endpoints }: Extract<Update, { kind: 'full' }>) {
  const byChannel = new Map<ChannelName, Endpoint[]>();
  for (const endpoint of endpoints) {
    const list = byChannel.get(endpoint.channel);
    if (list === undefined) byChannel.set(endpoint.channel, [endpoint]);
    else list.push(endpoint);
  }
  const channels = Channels.empty.edit((draft) => {
    for (const [name, list] of byChannel) draft.set({ name, endpoints: list });
  });
  const before = endpointsById(snapshot);
  const { put, drop } = diff(before, new Map(endpoints.map((e) => [e.id, e])));
  const moved = put.flatMap(({ id, address }) => {
    const known = before.get(id);
    return known === undefined || known.address === address ? [] : known;
  });
  return { snapshot: { revision, state, channels }, change: { put, drop: [...drop, ...moved] } };
}

/** A channel without endpoints is not a channel: nobody registered it. */
function setEndpoints(draft: Draft, name: ChannelName, endpoints: readonly Endpoint[]): void {
  if (endpoints.length === 0) draft.delete(name);
  else draft.set({ name, endpoints });
}

/** All endpoints, channel after channel. */
export function* endpointsOf(snapshot: Snapshot): Generator<Endpoint> {
  for (const { endpoints } of snapshot.channels.values()) yield* endpoints;
}

/** The snapshot as one update, for a reader that has nothing. */
export function fullOf(snapshot: Snapshot): Update {
  const { revision, state } = snapshot;
  return { kind: 'full', revision, state, endpoints: [...endpointsOf(snapshot)] };
}

/** All endpoints of a snapshot. */
export function endpointsById(snapshot: Snapshot): Map<EndpointId, Endpoint> {
  const all = new Map<EndpointId, Endpoint>();
  for (const endpoint of endpointsOf(snapshot)) all.set(endpoint.id, endpoint);
  return all;
}

/** The difference: the endpoints that are new or differ in any field, and those that are gone. */
export function diff(from: ReadonlyMap<EndpointId, Endpoint>, to: ReadonlyMap<EndpointId, Endpoint>): SnapshotChange {
  const put: Endpoint[] = [];
  const drop: Endpoint[] = [];
  for (const endpoint of to.values()) {
    const before = from.get(endpoint.id);
    if (before === undefined || !sameEndpoint(before, endpoint)) put.push(endpoint);
  }
  for (const endpoint of from.values()) if (!to.has(endpoint.id)) drop.push(endpoint);
  return { put, drop };
}

/** Whether two endpoints are equal in every field. */
export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  if (a === b) return true;
  return (
    a.id === b.id &&
    a.version === b.version &&
    a.channel === b.channel &&
    (a.lastResort ?? false) === (b.lastResort ?? false) &&
    sameValues(a, b)
  );
}

/** Whether the update changes which endpoints are registered, and not only their reports. */
export function changesMembers(before: Snapshot, update: Update): boolean {
  if (update.kind === 'full' || update.drop.length > 0) return true;
  return update.put.some(({ id, channel, address, lastResort = false }) => {
    const known = before.channels.get(channel)?.endpoints.find((endpoint) => endpoint.id === id);
    return known?.address !== address || (known.lastResort ?? false) !== lastResort;
  });
}

/** The reference that an update needs to drop this endpoint. */
export function refOf(endpoint: Endpoint): EndpointRef {
  return { id: endpoint.id, channel: endpoint.channel };
}

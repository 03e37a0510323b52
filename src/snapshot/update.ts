// Pure: how an update changes a snapshot, and which update leads from one set of endpoints to another.

import type { Channel, ChannelName, Endpoint, EndpointId, EndpointRef, Snapshot, Update } from '../model.js';
import { sameValues } from '../registry/reported-values.js';

export const emptySnapshot: Snapshot = { revision: 0, state: 'pending', channels: new Map() };

/**
 * What an update changed, with the dropped endpoints as they were last known. One that has another address now is among
 * both: what was at the old address is to be left.
 */
export interface Change {
  readonly put: readonly Endpoint[];
  readonly drop: readonly Endpoint[];
}

/** The next snapshot and what changed; undefined when the update does not build on this snapshot (a gap). */
export function apply(snapshot: Snapshot, update: Update): { snapshot: Snapshot; change: Change } | undefined {
  if (update.kind === 'full') return applyFull(snapshot, update);
  if (update.base !== snapshot.revision) return undefined;
  const channels = new Map(snapshot.channels);
  const dropped: Endpoint[] = [];
  for (const ref of update.drop) {
    const channel = channels.get(ref.channel);
    const gone = channel?.endpoints.find((endpoint) => endpoint.id === ref.id);
    if (channel === undefined || gone === undefined) continue;
    dropped.push(gone);
    setEndpoints(
      channels,
      channel.name,
      channel.endpoints.filter((endpoint) => endpoint !== gone),
    );
  }
  for (const endpoint of update.put) {
    const others = channels.get(endpoint.channel)?.endpoints ?? [];
    const at = others.findIndex((other) => other.id === endpoint.id);
    const before = others[at];
    if (before !== undefined && before.address !== endpoint.address) dropped.push(before);
    setEndpoints(channels, endpoint.channel, at < 0 ? [...others, endpoint] : others.with(at, endpoint));
  }
  const next = { revision: update.revision, state: update.state, channels };
  return { snapshot: next, change: { put: update.put, drop: dropped } };
}

function applyFull(snapshot: Snapshot, update: Extract<Update, { kind: 'full' }>) {
  const channels = new Map<ChannelName, Channel>();
  const byChannel = new Map<ChannelName, Endpoint[]>();
  for (const endpoint of update.endpoints) {
    const list = byChannel.get(endpoint.channel);
    if (list === undefined) byChannel.set(endpoint.channel, [endpoint]);
    else list.push(endpoint);
  }
  for (const [name, endpoints] of byChannel) channels.set(name, { name, endpoints });
  const next: Snapshot = { revision: update.revision, state: update.state, channels };
  const before = endpointsById(snapshot);
  const { put, drop } = diff(before, new Map(update.endpoints.map((e) => [e.id, e])));
  const moved = put.flatMap(({ id, address }) => {
    const known = before.get(id);
    return known === undefined || known.address === address ? [] : known;
  });
  return { snapshot: next, change: { put, drop: [...drop, ...moved] } };
}

/** A channel without endpoints is not a channel: nobody registered it. */
function setEndpoints(channels: Map<ChannelName, Channel>, name: ChannelName, endpoints: readonly Endpoint[]): void {
  if (endpoints.length === 0) channels.delete(name);
  else channels.set(name, { name, endpoints });
}

export function endpointsById(snapshot: Snapshot): Map<EndpointId, Endpoint> {
  const all = new Map<EndpointId, Endpoint>();
  for (const channel of snapshot.channels.values())
    for (const endpoint of channel.endpoints) all.set(endpoint.id, endpoint);
  return all;
}

/** The true difference: what is new or differs in any field, and what is gone. */
export function diff(from: ReadonlyMap<EndpointId, Endpoint>, to: ReadonlyMap<EndpointId, Endpoint>): Change {
  const put: Endpoint[] = [];
  const drop: Endpoint[] = [];
  for (const endpoint of to.values()) {
    const before = from.get(endpoint.id);
    if (before === undefined || !sameEndpoint(before, endpoint)) put.push(endpoint);
  }
  for (const endpoint of from.values()) if (!to.has(endpoint.id)) drop.push(endpoint);
  return { put, drop };
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.id === b.id &&
    a.version === b.version &&
    a.channel === b.channel &&
    (a.lastResort ?? false) === (b.lastResort ?? false) &&
    sameValues(a, b)
  );
}

/** Whether the update changes who is registered where, and not only what they report. */
export function changesMembers(before: Snapshot, update: Update): boolean {
  if (update.kind === 'full' || update.drop.length > 0) return true;
  return update.put.some(({ id, channel, address, lastResort = false }) => {
    const known = before.channels.get(channel)?.endpoints.find((endpoint) => endpoint.id === id);
    return known?.address !== address || (known.lastResort ?? false) !== lastResort;
  });
}

export function refOf(endpoint: Endpoint): EndpointRef {
  return { id: endpoint.id, channel: endpoint.channel };
}

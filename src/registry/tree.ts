// The tree below the root as it was last read, and what it means: pure bookkeeping from nodes to endpoints.

import type { SkipReason } from '../metrics.js';
import type { ChannelName, Endpoint, EndpointId } from '../model.js';
import { choose, isTooLong, shown } from './admission.js';
import { composeEndpoints, countIneligible } from './compose.js';
import { decode } from './formats/decode.js';
import type { Decoded, UnknownValue } from './formats/format.js';
import { parseChannelName } from './names.js';
import type { RegistryNote } from './registry.js';
import { sameValues } from './reported-values.js';
import { type ChannelNode, newNode, type TreeNode } from './tree-node.js';
import type { Stat } from './zookeeper-client.js';

/** What one writer may cost the others at most. */
export interface TreeLimits {
  /** Nodes below all channels, and channels. */
  readonly endpoints: number;
  /** Nodes below one channel. */
  readonly endpointsPerChannel: number;
}

/** What cannot be used now. */
export interface Census {
  /** Nodes, by why. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Reported values of endpoints that are used, by field and why, with a space between. */
  readonly unknown: Readonly<Record<string, number>>;
}

export type TreeChange =
  | { readonly kind: 'put'; readonly endpoint: Endpoint }
  | { readonly kind: 'drop'; readonly id: EndpointId };

/** Names that are remembered as noted. */
const mostMisnamed = 1_000;

function add(counts: Record<string, number>, key: string, count = 1): void {
  if (count > 0) counts[key] = (counts[key] ?? 0) + count;
}

function unknownOf(decoded: Decoded): readonly UnknownValue[] {
  if (decoded.kind === 'defaults') return decoded.values.unknown;
  if (decoded.kind === 'weights') return decoded.unknown;
  return decoded.kind === 'endpoints' ? decoded.registrations.flatMap(({ values }) => values.unknown) : [];
}

export class Tree {
  readonly channels = new Map<string, ChannelNode>();
  /** Children of the root whose names cannot be a channel's and that were noted. */
  #misnamed = new Set<string>();
  /** Children of the root that are no channels here, by why. */
  #left: Readonly<Record<string, number>> = {};
  /** Nodes below all channels. */
  #children = 0;
  /** Why the root cannot be read now. */
  #closed: string | undefined;
  readonly #limits: TreeLimits;
  readonly #note: (note: RegistryNote) => void;

  constructor(
    readonly root: string,
    limits: TreeLimits,
    note: (note: RegistryNote) => void,
  ) {
    this.#limits = limits;
    this.#note = note;
  }

  /** The channel of a path, and the child where the path is one of an endpoint. Undefined: not of this tree. */
  find(path: string): { channel: ChannelNode; child: TreeNode | undefined } | undefined {
    if (!path.startsWith(`${this.root}/`)) return undefined;
    const [channelName = '', childName, ...rest] = path.slice(this.root.length + 1).split('/');
    const channel = this.channels.get(channelName);
    if (channel === undefined || rest.length > 0) return undefined;
    if (childName === undefined) return { channel, child: undefined };
    const child = channel.children.get(childName);
    return child === undefined ? undefined : { channel, child };
  }

  /** The root's children are now these. Returns the channels that are new, and what vanished with the others. */
  setChannels(names: readonly string[]): { added: ChannelNode[]; changes: TreeChange[] } {
    const current = new Map<string, ChannelName>();
    const misnamed = new Set<string>();
    const left: Record<string, number> = {};
    for (const name of names) {
      const channel = parseChannelName(name);
      if (channel !== undefined) {
        current.set(name, channel);
        continue;
      }
      add(left, 'bad_channel_name');
      if (misnamed.size >= mostMisnamed) continue;
      misnamed.add(name);
      if (!this.#misnamed.has(name)) this.#skip('bad_channel_name', `${this.root}/${name}`);
    }
    this.#misnamed = misnamed;
    const chosen = choose(new Set(current.keys()), this.channels, this.#limits.endpoints);
    add(left, 'too_many', current.size - chosen.size);
    if ('too_many' in left && !('too_many' in this.#left)) this.#skip('too_many', this.root);
    this.#left = left;
    const changes = [...this.channels.values()].flatMap((channel) =>
      chosen.has(channel.name) ? [] : this.removeChannel(channel),
    );
    const added: ChannelNode[] = [];
    for (const name of chosen) {
      const channelName = current.get(name);
      if (channelName === undefined || this.channels.has(name)) continue;
      const empty = {
        children: new Map<string, TreeNode>(),
        vectors: new Set<TreeNode>(),
        unlisted: undefined,
        left: {},
      };
      const channel = { ...newNode(`${this.root}/${name}`, name), channel: channelName, ...empty };
      this.channels.set(name, channel);
      added.push(channel);
    }
    return { added, changes };
  }

  /** A channel's children are now these. */
  setChildren(channel: ChannelNode, names: readonly string[]): { added: TreeNode[]; changes: TreeChange[] } {
    channel.unlisted = undefined;
    const current = new Set(names.filter((name) => !isTooLong(name)));
    const changes = [...channel.children.values()].flatMap((child) =>
      current.has(child.name) ? [] : this.removeChild(channel, child),
    );
    const { endpoints, endpointsPerChannel } = this.#limits;
    const most = Math.min(endpointsPerChannel, channel.children.size + endpoints - this.#children);
    const chosen = choose(current, channel.children, most);
    const left: Record<string, number> = {};
    add(left, 'bad_name', names.length - current.size);
    add(left, 'too_many', current.size - chosen.size);
    for (const reason of ['bad_name', 'too_many'] as const) {
      if (reason in left && !(reason in channel.left)) this.#skip(reason, channel.path);
    }
    channel.left = left;
    const added: TreeNode[] = [];
    for (const name of chosen) {
      if (channel.children.has(name)) continue;
      const child = newNode(`${channel.path}/${name}`, name);
      channel.children.set(name, child);
      this.#children += 1;
      added.push(child);
    }
    return { added, changes };
  }

  /** @param reason why the root cannot be read; undefined: it can */
  setRootUnreadable(reason: SkipReason | undefined): void {
    if (reason !== undefined && reason !== this.#closed) this.#skip(reason, this.root);
    this.#closed = reason;
  }

  /** What is known of a node stands although it cannot be read now. */
  setUnreadable(node: ChannelNode | TreeNode, reason: SkipReason, what: 'data' | 'children'): void {
    if (what === 'data') node.unreadable = reason;
    else if ('unlisted' in node) node.unlisted = reason;
    this.#noteOnce(node, reason, { kind: 'skipped', reason, path: shown(node.path) });
  }

  /** A node's data were read. A channel's own may be the defaults of its children, which then change too. */
  setData(channel: ChannelNode, child: TreeNode | undefined, data: Uint8Array, stat: Stat): TreeChange[] {
    const node = child ?? channel;
    node.unreadable = undefined;
    const { czxid, version, mtime } = stat;
    // A server that lost its data counts transactions and versions from the beginning: the time sets it apart.
    const reported = node.stat?.czxid !== czxid || node.stat.version !== version || node.stat.mtime !== mtime;
    if (reported) {
      if (node.stat?.czxid !== czxid) node.noted = undefined;
      node.decoded = decode({ name: node.name, level: child === undefined ? 'channel' : 'endpoint', data });
      this.#noteFaults(node);
    }
    node.stat = stat;
    if (child === undefined) {
      return reported ? [...this.#retell(channel, channel, true), ...this.#retellChildren(channel)] : [];
    }
    const changes = this.#retell(channel, child, reported);
    return this.#keepsWeights(channel, child) && reported ? [...changes, ...this.#retellChildren(channel)] : changes;
  }

  removeChannel(channel: ChannelNode): TreeChange[] {
    if (!this.channels.delete(channel.name)) return [];
    this.#children -= channel.children.size;
    return [channel, ...channel.children.values()].flatMap((node) => this.#untell(node));
  }

  removeChild(channel: ChannelNode, child: TreeNode): TreeChange[] {
    if (channel.children.delete(child.name)) this.#children -= 1;
    const changes = this.#untell(child);
    return channel.vectors.delete(child) ? [...changes, ...this.#retellChildren(channel)] : changes;
  }

  /** Every endpoint there is. */
  *endpoints(): Generator<Endpoint> {
    for (const channel of this.channels.values()) {
      yield* channel.told;
      for (const child of channel.children.values()) yield* child.told;
    }
  }

  /** Σ(path bytes + 4) of all watches: what re-arming them takes. `prefix` is the length of the chroot. */
  watchedBytes(prefix: number): number {
    const cost = (path: string) => Buffer.byteLength(path) + prefix + 4;
    let bytes = cost(this.root);
    for (const channel of this.channels.values()) {
      bytes += cost(channel.path) * (channel.stat?.ephemeral === true ? 1 : 2);
      for (const child of channel.children.values()) bytes += cost(child.path);
    }
    return bytes;
  }

  census(): Census {
    const skipped: Record<string, number> = { ...this.#left };
    const unknown: Record<string, number> = {};
    if (this.#closed !== undefined) add(skipped, this.#closed);
    const count = (channel: ChannelNode, node: TreeNode) => {
      const { unreadable, decoded } = node;
      add(skipped, 'not_eligible', countIneligible(channel, node));
      if (unreadable !== undefined) add(skipped, unreadable);
      else if (decoded.kind === 'skipped') add(skipped, decoded.reason);
      else for (const { field, reason } of unknownOf(decoded)) add(unknown, `${field} ${reason}`);
    };
    for (const channel of this.channels.values()) {
      count(channel, channel);
      if (channel.unlisted !== undefined) add(skipped, channel.unlisted);
      for (const [reason, left] of Object.entries(channel.left)) add(skipped, reason, left);
      for (const child of channel.children.values()) count(channel, child);
    }
    return { skipped, unknown };
  }

  /** `reported`: the node itself has a new version, which is a report even when it says the same as before. */
  #retell(channel: ChannelNode, node: TreeNode, reported: boolean): TreeChange[] {
    const now = composeEndpoints(channel, node);
    const before = new Map(node.told.map((endpoint) => [endpoint.id, endpoint]));
    node.told = now;
    const puts: TreeChange[] = [];
    for (const endpoint of now) {
      const known = before.get(endpoint.id);
      before.delete(endpoint.id);
      if (known === undefined || reported || !sameValues(known, endpoint)) puts.push({ kind: 'put', endpoint });
    }
    return [...[...before.keys()].map((id): TreeChange => ({ kind: 'drop', id })), ...puts];
  }

  #retellChildren(channel: ChannelNode): TreeChange[] {
    return [...channel.children.values()].flatMap((each) => this.#retell(channel, each, false));
  }

  /** Whether a child holds weights of its siblings, or did until now. */
  #keepsWeights(channel: ChannelNode, child: TreeNode): boolean {
    const did = channel.vectors.delete(child);
    const does = child.decoded.kind === 'weights';
    if (does) channel.vectors.add(child);
    return did || does;
  }

  #untell(node: TreeNode): TreeChange[] {
    const before = node.told;
    node.told = [];
    return before.map(({ id }) => ({ kind: 'drop', id }));
  }

  #noteFaults(node: TreeNode): void {
    const { decoded } = node;
    const path = shown(node.path);
    if (decoded.kind === 'skipped') {
      const { reason } = decoded;
      this.#noteOnce(node, reason, { kind: 'skipped', reason, path });
    }
    for (const { field, reason } of unknownOf(decoded)) {
      this.#noteOnce(node, `${field} ${reason}`, { kind: 'unknown_value', field, reason, path });
    }
  }

  #noteOnce(node: TreeNode, fault: string, note: RegistryNote): void {
    node.noted ??= new Set();
    if (node.noted.has(fault)) return;
    node.noted.add(fault);
    this.#note(note);
  }

  #skip(reason: SkipReason, path: string): void {
    this.#note({ kind: 'skipped', reason, path: shown(path) });
  }
}

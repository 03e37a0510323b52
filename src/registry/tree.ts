// The tree below the root as it was last read, and what it means: pure bookkeeping from nodes to endpoints.

import type { ChannelName, Endpoint, EndpointId } from '../model.js';
import { decode } from './formats/decode.js';
import type { Decoded, UnknownValue, Values } from './formats/format.js';
import { noValues } from './formats/values.js';
import { parseChannelName } from './names.js';
import type { RegistryNote } from './registry.js';
import type { Stat } from './zookeeper-client.js';

/** A node of the tree. Its data are unknown until they were read once. */
export interface TreeNode {
  readonly path: string;
  readonly name: string;
  stat: Stat | undefined;
  decoded: Decoded;
  /** The endpoint it registers, as last told. */
  told: Endpoint | undefined;
}

/** A child of the root, which may be an endpoint itself and hold endpoints. */
export interface ChannelNode extends TreeNode {
  readonly channel: ChannelName;
  readonly children: Map<string, TreeNode>;
}

export type TreeChange =
  | { readonly kind: 'put'; readonly endpoint: Endpoint }
  | { readonly kind: 'drop'; readonly id: EndpointId };

const nothing: Decoded = { kind: 'nothing' };

/** A node that is made again is another endpoint: the transaction that made it is part of the id. */
function endpointId(path: string, czxid: number): EndpointId {
  return `${path}@${czxid.toString(16)}` as EndpointId;
}

function newNode(path: string, name: string): TreeNode {
  return { path, name, stat: undefined, decoded: nothing, told: undefined };
}

function sameValues(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.load === b.load && a.bitrate === b.bitrate && a.packetLoss === b.packetLoss;
}

export class Tree {
  readonly channels = new Map<string, ChannelNode>();
  /** Children of the root whose names cannot be a channel's; each is noted once. */
  private misnamed = new Set<string>();

  constructor(
    readonly root: string,
    private readonly note: (note: RegistryNote) => void,
  ) {}

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
    const current = new Set(names);
    const changes: TreeChange[] = [];
    for (const channel of [...this.channels.values()]) {
      if (!current.has(channel.name)) changes.push(...this.removeChannel(channel));
    }
    const added: ChannelNode[] = [];
    const misnamed = new Set<string>();
    for (const name of current) {
      if (this.channels.has(name)) continue;
      const path = `${this.root}/${name}`;
      const channelName = parseChannelName(name);
      if (channelName === undefined) {
        misnamed.add(name);
        if (!this.misnamed.has(name)) this.note({ kind: 'skipped', reason: 'bad_channel_name', path });
        continue;
      }
      const channel = { ...newNode(path, name), channel: channelName, children: new Map() };
      this.channels.set(name, channel);
      added.push(channel);
    }
    this.misnamed = misnamed;
    return { added, changes };
  }

  /** A channel's children are now these. */
  setChildren(channel: ChannelNode, names: readonly string[]): { added: TreeNode[]; changes: TreeChange[] } {
    const current = new Set(names);
    const changes: TreeChange[] = [];
    for (const child of [...channel.children.values()]) {
      if (!current.has(child.name)) changes.push(...this.removeChild(channel, child));
    }
    const added: TreeNode[] = [];
    for (const name of current) {
      if (channel.children.has(name)) continue;
      const child = newNode(`${channel.path}/${name}`, name);
      channel.children.set(name, child);
      added.push(child);
    }
    return { added, changes };
  }

  /** A node's data were read. A channel's own may be the defaults of its children, which then change too. */
  setData(channel: ChannelNode, child: TreeNode | undefined, data: Uint8Array, stat: Stat): TreeChange[] {
    const node = child ?? channel;
    const { czxid, version, mtime } = stat;
    // A server that lost its data counts transactions and versions from the beginning: the time sets it apart.
    const reported = node.stat?.czxid !== czxid || node.stat.version !== version || node.stat.mtime !== mtime;
    if (reported) {
      node.decoded = decode({ name: node.name, level: child === undefined ? 'channel' : 'endpoint', data });
      this.noteFaults(node);
    }
    node.stat = stat;
    if (child !== undefined) return this.retell(channel, child, reported);
    if (!reported) return [];
    const ofChildren = [...channel.children.values()].flatMap((each) => this.retell(channel, each, false));
    return [...this.retell(channel, channel, true), ...ofChildren];
  }

  removeChannel(channel: ChannelNode): TreeChange[] {
    this.channels.delete(channel.name);
    return [channel, ...channel.children.values()].flatMap((node) => this.untell(node));
  }

  removeChild(channel: ChannelNode, child: TreeNode): TreeChange[] {
    channel.children.delete(child.name);
    return this.untell(child);
  }

  /** Every endpoint there is. */
  *endpoints(): Generator<Endpoint> {
    for (const channel of this.channels.values()) {
      if (channel.told !== undefined) yield channel.told;
      for (const child of channel.children.values()) if (child.told !== undefined) yield child.told;
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

  /** `reported`: the node itself has a new version, which is a report even when it says the same as before. */
  private retell(channel: ChannelNode, node: TreeNode, reported: boolean): TreeChange[] {
    const endpoint = composeEndpoint(channel, node);
    const before = node.told;
    if (endpoint === undefined) return this.untell(node);
    if (before !== undefined && !reported && sameValues(before, endpoint)) return [];
    node.told = endpoint;
    const gone: TreeChange[] =
      before !== undefined && before.id !== endpoint.id ? [{ kind: 'drop', id: before.id }] : [];
    return [...gone, { kind: 'put', endpoint }];
  }

  private untell(node: TreeNode): TreeChange[] {
    const before = node.told;
    node.told = undefined;
    return before === undefined ? [] : [{ kind: 'drop', id: before.id }];
  }

  private noteFaults({ decoded, path }: TreeNode): void {
    if (decoded.kind === 'skipped') this.note({ kind: 'skipped', reason: decoded.reason, path });
    else if (decoded.kind !== 'nothing') {
      for (const { field, reason } of decoded.values.unknown) this.note({ kind: 'unknown_value', field, reason, path });
    }
  }
}

/** What a value that was given and meant nothing hides stays unknown: a default must not stand in for a broken report. */
function valuesOver(own: Values, defaults: Values): Values {
  const faulty = (field: UnknownValue['field']) => own.unknown.some((value) => value.field === field);
  return {
    load: faulty('load') ? undefined : (own.load ?? defaults.load),
    bitrate: faulty('bitrate') ? undefined : (own.bitrate ?? defaults.bitrate),
    packetLoss: faulty('packet_loss_rate') ? undefined : (own.packetLoss ?? defaults.packetLoss),
    unknown: own.unknown,
  };
}

function composeEndpoint(channel: ChannelNode, node: TreeNode): Endpoint | undefined {
  const { decoded, stat, path } = node;
  if (decoded.kind !== 'endpoint' || stat === undefined) return undefined;
  const isChild = node !== channel;
  const defaults = isChild && channel.decoded.kind === 'defaults' ? channel.decoded.values : noValues;
  const { load, bitrate, packetLoss } = valuesOver(decoded.values, defaults);
  // The sum grows with a report of either, also when the defaults come and go.
  const version = stat.version + (isChild ? (channel.stat?.version ?? 0) : 0);
  const id = endpointId(path, stat.czxid);
  return { id, channel: channel.channel, address: decoded.address, load, bitrate, packetLoss, version };
}

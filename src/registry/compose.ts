// Pure: what a node, its siblings and the channel it is in say together about endpoints.

import type { Endpoint, EndpointId, ServiceAddress, Traits } from '../model.js';
import { withPath } from '../net-address.js';
import { type TraitName, traitRules } from '../traits.js';
import type { Defaults, UnknownValue, Values } from './formats/format.js';
import { maxWeight } from './formats/traits.js';
import { noValues } from './formats/values.js';
import type { ChannelNode, ReportNode, TreeNode } from './tree-node.js';

/**
 * A node that is made again is another endpoint: the transaction that made it is part of the id. Of several endpoints in one
 * node each has its address in the id, not its place: the list may be written in another order.
 */
function endpointId(path: string, czxid: number, address: ServiceAddress | undefined): EndpointId {
  const place = address === undefined ? path : `${path}#${address}`;
  return `${place}@${czxid.toString(16)}` as EndpointId;
}

type Field = UnknownValue['field'];

/**
 * Of what a node says and what its channel says for it. What a value that was given and meant nothing hides stays unknown: a
 * default must not stand in for a broken report.
 */
function valuesOver(own: Values, defaults: Omit<Values, 'unknown'>): Omit<Values, 'unknown'> {
  const faulty = (field: Field) => own.unknown.some((value) => value.field === field);
  return {
    load: faulty('load') ? undefined : (own.load ?? defaults.load),
    bitrate: faulty('bitrate') ? undefined : (own.bitrate ?? defaults.bitrate),
    packetLoss: faulty('packet_loss_rate') ? undefined : (own.packetLoss ?? defaults.packetLoss),
  };
}

/** Undefined: it is no trait of its own (`draining`). */
const fieldOf = (name: string): Field | undefined => traitRules[name as TraitName]?.field;

/** A channel that drains drains all of its endpoints, whatever they say. */
function traitsOver(own: Traits, defaults: Traits, unknown: readonly UnknownValue[]): Traits {
  if (unknown.length === 0) return { ...defaults, ...own };
  const hidden = new Set<Field | undefined>(unknown.map(({ field }) => field));
  const left = Object.entries(defaults).filter(([name]) => !hidden.has(fieldOf(name)));
  return { ...Object.fromEntries(left), ...own };
}

/** Of more siblings with weights only so many count: each is asked for each endpoint. */
const maxVectors = 8;

/** The product of what siblings give to an endpoint of this channel; undefined: none of them names it. */
function weightOf(selectors: readonly string[] | undefined, { vectors }: ChannelNode): number | undefined {
  if (selectors === undefined || vectors.size === 0) return undefined;
  let product: number | undefined;
  let asked = 0;
  for (const { decoded } of vectors) {
    if (decoded.kind !== 'weights' || ++asked > maxVectors) continue;
    for (const selector of selectors) {
      const weight = decoded.bySelector.get(selector);
      if (weight !== undefined) product = Math.min((product ?? 1) * weight, maxWeight);
    }
  }
  return product;
}

/** Of a report that cannot be read: what the endpoints say themselves must not stand in for it. */
const broken: Values = {
  ...noValues,
  unknown: (['load', 'bitrate', 'packet_loss_rate'] as const).map((field) => ({ field, reason: 'not_a_number' })),
};

/** What a report says. */
function reportedBy({ decoded }: ReportNode): Values {
  if (decoded.kind === 'defaults') return decoded.values;
  return decoded.kind === 'skipped' ? broken : noValues;
}

const none: readonly Endpoint[] = [];
const noDefaults: Defaults = { values: noValues, traits: {}, eligible: true, path: undefined };

/** What the node says that its channel does not, and the other way round. */
function defaultsOf(channel: ChannelNode, node: TreeNode): Defaults {
  return node !== channel && channel.decoded.kind === 'defaults' ? channel.decoded : noDefaults;
}

/** How many of a node's endpoints say themselves, or have it said by their channel, that they serve nobody now. */
export function countIneligible(channel: ChannelNode, node: TreeNode): number {
  const { decoded } = node;
  if (decoded.kind !== 'endpoints') return 0;
  const { registrations } = decoded;
  if (!defaultsOf(channel, node).eligible) return registrations.length;
  return registrations.filter(({ eligible }) => !eligible).length;
}

/** The endpoints that a node registers, each id once; those that serve nobody now are left out. */
export function composeEndpoints(channel: ChannelNode, node: TreeNode): readonly Endpoint[] {
  const { decoded, stat, path } = node;
  if (decoded.kind !== 'endpoints' || stat === undefined) return none;
  const defaults = defaultsOf(channel, node);
  if (!defaults.eligible) return none;
  // The sum grows with a report of any, also when the defaults come and go.
  const written = stat.version + (node === channel ? 0 : (channel.stat?.version ?? 0));
  const { registrations } = decoded;
  const endpoints = new Map<EndpointId, Endpoint>();
  for (const { address: given, values, traits, eligible, selectors, report: named } of registrations) {
    if (!eligible) continue;
    const id = endpointId(path, stat.czxid, registrations.length > 1 ? given : undefined);
    const address = defaults.path === undefined ? given : withPath(given, defaults.path);
    const weight = weightOf(selectors, channel);
    const own = weight === undefined ? traits : { ...traits, weight };
    const report = named === undefined ? undefined : node.reports.find((each) => each.path === named);
    const said = valuesOver(values, defaults.values);
    const reported = report === undefined ? said : valuesOver(reportedBy(report), said);
    const version = written + (report?.version ?? 0);
    const endpoint = { id, channel: channel.channel, address, ...reported, version };
    endpoints.set(id, { ...traitsOver(own, defaults.traits, values.unknown), ...endpoint });
  }
  return [...endpoints.values()];
}

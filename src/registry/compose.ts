// Pure: composes endpoints from a node, its siblings, its channel and the reports that it names.

import type { Endpoint, EndpointId, ServiceAddress, Traits } from '../model.js';
import { withPath } from '../net-address.js';
import { type TraitName, traitRules } from '../traits.js';
import type { Defaults, RegisteredEndpoint, UnknownValue, Values } from './formats/format.js';
import { maxWeight } from './formats/traits.js';
import { noValues } from './formats/values.js';
import type { ChannelNode, ReportNode, TreeNode } from './tree-node.js';

/**
 * A node that is created again is another endpoint, so the transaction that created it is part of the id. Several endpoints in
 * one node have their addresses in their ids, not their positions: the list may be written in another order.
 */
function endpointId(path: string, czxid: number, address: ServiceAddress | undefined): EndpointId {
  const place = address === undefined ? path : `${path}#${address}`;
  return `${place}@${czxid.toString(16)}` as EndpointId;
}

type Field = UnknownValue['field'];

/**
 * The values of a node, and defaults for the missing ones. An invalid value stays unknown: a default must not replace a
 * broken report.
 */
function valuesOver(own: Values, defaults: Omit<Values, 'unknown'>): Omit<Values, 'unknown'> {
  if (own.unknown.length === 0) {
    return {
      load: own.load ?? defaults.load,
      bitrate: own.bitrate ?? defaults.bitrate,
      packetLoss: own.packetLoss ?? defaults.packetLoss,
    };
  }
  const faulty = (field: Field) => own.unknown.some((value) => value.field === field);
  return {
    load: faulty('load') ? undefined : (own.load ?? defaults.load),
    bitrate: faulty('bitrate') ? undefined : (own.bitrate ?? defaults.bitrate),
    packetLoss: faulty('packet_loss_rate') ? undefined : (own.packetLoss ?? defaults.packetLoss),
  };
}

/** The field of a trait; undefined for `draining`, which is not in the table. */
const fieldOf = (name: string): Field | undefined => traitRules[name as TraitName]?.field;

/** The traits of an endpoint, and defaults for the missing ones. A draining channel drains all its endpoints. */
function traitsOver(own: Traits, defaults: Traits, unknown: readonly UnknownValue[]): Traits {
  if (unknown.length === 0) return { ...defaults, ...own };
  const hidden = new Set<Field | undefined>(unknown.map(({ field }) => field));
  const left = Object.entries(defaults).filter(([name]) => !hidden.has(fieldOf(name)));
  return { ...Object.fromEntries(left), ...own };
}

/** Siblings with weights that count: each of them is looked at for each endpoint. */
const maxVectors = 8;

/** The product of the weights that siblings give to an endpoint; undefined: none of them names it. */
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

/** The values of a report that is not valid: the endpoints' own values must not replace it. */
const broken: Values = {
  ...noValues,
  unknown: (['load', 'bitrate', 'packet_loss_rate'] as const).map((field) => ({ field, reason: 'not_a_number' })),
};

/** The values of a report. */
function reportedBy({ decoded }: ReportNode): Values {
  if (decoded.kind === 'defaults') return decoded.values;
  return decoded.kind === 'skipped' ? broken : noValues;
}

const none: readonly Endpoint[] = [];
const noDefaults: Defaults = { values: noValues, traits: {}, eligible: true, path: undefined };

/** What the channel says for the endpoints of a node. */
function defaultsOf(channel: ChannelNode, node: TreeNode): Defaults {
  return node !== channel && channel.decoded.kind === 'defaults' ? channel.decoded : noDefaults;
}

/** How many endpoints of a node serve nobody now, by their own word or their channel's. */
export function countIneligible(channel: ChannelNode, node: TreeNode): number {
  const { decoded } = node;
  if (decoded.kind !== 'endpoints') return 0;
  const { registrations } = decoded;
  if (!defaultsOf(channel, node).eligible) return registrations.length;
  return registrations.filter(({ eligible }) => !eligible).length;
}

/** The endpoints that a node registers, each id once. Those that serve nobody now are left out. */
export function composeEndpoints(channel: ChannelNode, node: TreeNode): readonly Endpoint[] {
  const { decoded, stat, path } = node;
  if (decoded.kind !== 'endpoints' || stat === undefined) return none;
  const defaults = defaultsOf(channel, node);
  if (!defaults.eligible) return none;
  // The sum grows with each report of the node, its channel or its report node.
  const written = stat.version + (node === channel ? 0 : (channel.stat?.version ?? 0));
  const { registrations } = decoded;
  const compose = (one: RegisteredEndpoint, id: EndpointId) => composeOne(channel, node, one, defaults, id, written);
  // Nearly all nodes register one endpoint.
  if (registrations.length === 1) {
    const [only] = registrations;
    return only.eligible ? [compose(only, endpointId(path, stat.czxid, undefined))] : none;
  }
  const endpoints = new Map<EndpointId, Endpoint>();
  for (const one of registrations) {
    const id = endpointId(path, stat.czxid, one.address);
    if (one.eligible) endpoints.set(id, compose(one, id));
  }
  return [...endpoints.values()];
}

function composeOne(
  channel: ChannelNode,
  node: TreeNode,
  { address: given, values, traits, selectors, report: named }: RegisteredEndpoint,
  defaults: Defaults,
  id: EndpointId,
  written: number,
): Endpoint {
  const address = defaults.path === undefined ? given : withPath(given, defaults.path);
  const weight = weightOf(selectors, channel);
  const own = weight === undefined ? traits : { ...traits, weight };
  const report = named === undefined ? undefined : node.reports.find((each) => each.path === named);
  const said = valuesOver(values, defaults.values);
  const reported = report === undefined ? said : valuesOver(reportedBy(report), said);
  const version = written + (report?.version ?? 0);
  const endpoint = { id, channel: channel.channel, address, ...reported, version };
  return { ...traitsOver(own, defaults.traits, values.unknown), ...endpoint };
}

// Pure: how a node is read, as lines for people and as JSON for programs.

import type { NodeExplanation } from '../registry/explanation.js';
import type { Bound } from '../registry/left-out.js';
import { endpointAsJson, safe, traitWords, valueWords } from './endpoint-lines.js';

const reasons: Readonly<Record<NonNullable<NodeExplanation['reason']>, string>> = {
  too_large: 'it has more than 64 KiB',
  not_utf8: 'it is no UTF-8',
  bad_json: 'it begins like JSON and is none',
  unknown_format: 'no format that this tree allows accepts it',
  no_address: 'it says no address',
  bad_address: 'its address is neither HOST:PORT nor an http(s) URL',
  bad_name: 'a name in its path is too long',
  no_auth: 'the credentials may not read it',
  unreadable: 'ZooKeeper does not give it out',
  too_many: 'there are more nodes than an edge follows',
};

const outcomes: Readonly<Record<NodeExplanation['outcome'], string>> = {
  endpoints: 'registers',
  not_eligible: 'is not used: it says, or its channel says, that it serves nobody now',
  defaults: 'says what its endpoints do not say themselves',
  weights: 'gives weights to its siblings',
  folder: 'registers nothing itself',
  skipped: 'is skipped',
};

/** In a sentence without its subject. */
export function outcomeWords({ outcome, reason }: Pick<NodeExplanation, 'outcome' | 'reason'>): string {
  return reason === undefined ? outcomes[outcome] : `${outcomes[outcome]}: ${reasons[reason]} (${reason})`;
}

/** Which of the nodes an edge leaves out, and what to set. */
export function boundWords({ setting, allows, holds }: Bound): string {
  const which = 'those with the lowest names are followed; an edge that runs keeps those that it found first';
  return `too_many  ${holds} nodes, and ${setting} allows ${allows}: ${which}`;
}

/** Why an edge does not get as far as the node's data. */
function leftOutFacts({ leftOut }: NodeExplanation): [name: string, value: string][] {
  if (leftOut === undefined) return [];
  const { at, bound } = leftOut;
  return [['list of', safe(at)], ...(bound === undefined ? [] : [['', boundWords(bound)] as [string, string]])];
}

/** Whether the node is used: as an endpoint, or for others. */
export function isUsed({ outcome }: NodeExplanation): boolean {
  return outcome !== 'skipped' && outcome !== 'not_eligible';
}

function facts(one: NodeExplanation): [name: string, value: string][] {
  return [
    ['tree', one.tree],
    ['channel', safe(one.channel)],
    ['format', one.format ?? '-'],
    ...leftOutFacts(one),
    ...one.endpoints.map((endpoint): [string, string] => {
      const words = [safe(endpoint.address), ...valueWords(endpoint), traitWords(endpoint)];
      return ['endpoint', words.join('  ').trimEnd()];
    }),
    ...one.endpoints.flatMap(({ properties = {} }) =>
      Object.entries(properties).map(([name, value]): [string, string] => ['property', `${safe(name)}=${safe(value)}`]),
    ),
    ...one.ineligible.map((address): [string, string] => ['not used', safe(address)]),
    ...one.unknown.map(({ field, reason }): [string, string] => ['unknown', `${field} (${reason})`]),
    ...one.saidBy.map((path): [string, string] => ['said by', safe(path)]),
    ...one.reports.map(({ path, state }): [string, string] => [
      'report',
      state === 'read' ? safe(path) : `${safe(path)} (${state})`,
    ]),
  ];
}

/** The node and what is read from it. */
export function explanationLines(one: NodeExplanation): string[] {
  const kind = one.ephemeral ? 'ephemeral' : 'persistent';
  const head = `${safe(one.path)}  ${kind}, version ${one.version}: ${outcomeWords(one)}`;
  return [head, ...facts(one).map(([name, value]) => `  ${name.padEnd(8)}  ${value}`)];
}

/** One line of a node below the one that was asked for. */
export function belowLine(one: NodeExplanation): string {
  const what =
    one.outcome === 'endpoints' ? one.endpoints.map(({ address }) => safe(address)).join(', ') : outcomeWords(one);
  const unknown = one.unknown.length === 0 ? '' : `  unknown: ${one.unknown.map(({ field }) => field).join(', ')}`;
  return `  ${safe(one.path.slice(one.path.lastIndexOf('/') + 1))}  ${one.format ?? '-'}  ${what}${unknown}`;
}

/** As one JSON object; missing values are null. */
export function explanationJson(one: NodeExplanation) {
  const { path, tree, channel, level, ephemeral, version, outcome, ineligible, unknown, saidBy, reports, leftOut } =
    one;
  const [format, reason] = [one.format ?? null, one.reason ?? null];
  const read = { path, tree, channel, level, format, ephemeral, version, outcome, reason };
  return {
    ...read,
    endpoints: one.endpoints.map(endpointAsJson),
    not_eligible: ineligible,
    unknown,
    said_by: saidBy,
    reports,
    left_out: leftOut ?? null,
  };
}

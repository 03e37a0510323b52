// Members of a ServerSet, as Finagle and Aurora write them, and the weights beside them:
// member_0000000001 {"serviceEndpoint":{"host":"h","port":31943},"additionalEndpoints":{"http":{"host":"h","port":31944}},
//                    "status":"ALIVE","shard":0,"metadata":{"k":"v"}}
// vector_0000000002 {"vector":[{"select":"shard=0","weight":2.0,"priority":1}]}

import type { ServiceAddress } from '../../model.js';
import { hostAndPort } from './address.js';
import type { Decoded, Format, JsonObject } from './format.js';
import { freeProperties, reportedEndpoint, withNumbers } from './reported.js';
import { maxWeight, readWeight, Unknowns } from './traits.js';
import { asObject, own } from './values.js';

/** The endpoints of a member that speak HTTP, the best first; else its main one. */
const preferred = [
  { name: 'http', tls: false },
  { name: 'https', tls: true },
] as const;
/** Of one vector. */
const maxEntries = 1_000;

const memberPrefix = 'member_';
const vectorPrefix = 'vector_';

function at(endpoint: unknown, tls = false): ServiceAddress | undefined {
  const json = asObject(endpoint);
  return json === undefined ? undefined : hostAndPort(own(json, 'host'), own(json, 'port'), tls);
}

function addressOf(json: JsonObject): ServiceAddress | undefined {
  const additional = asObject(own(json, 'additionalEndpoints')) ?? {};
  for (const { name, tls } of preferred) {
    const address = at(own(additional, name), tls);
    if (address !== undefined) return address;
  }
  return at(own(json, 'serviceEndpoint'));
}

/** The selectors of a member: by its shard, its node and its main endpoint. */
function selectorsOf(json: JsonObject, name: string): string[] {
  const main = at(own(json, 'serviceEndpoint'));
  const shard = own(json, 'shard');
  const selectors = [`member=${name}`];
  if (name.startsWith(memberPrefix)) selectors.push(`member=${name.slice(memberPrefix.length)}`);
  if (main !== undefined) selectors.push(`inet=${main}`);
  if (typeof shard === 'number' && Number.isSafeInteger(shard) && shard >= 0) selectors.push(`shard=${shard}`);
  return selectors;
}

/** Weights of entries with the same selector are multiplied. */
function weights(entries: readonly unknown[]): Decoded {
  const unknown = new Unknowns();
  const bySelector = new Map<string, number>();
  if (entries.length > maxEntries) unknown.add('endpoints', 'too_many');
  for (const each of entries.slice(0, maxEntries)) {
    const entry = asObject(each) ?? {};
    const select = own(entry, 'select');
    const weight = readWeight(own(entry, 'weight'), unknown);
    if (typeof select !== 'string' || weight === undefined) continue;
    bySelector.set(select, Math.min((bySelector.get(select) ?? 1) * weight, maxWeight));
  }
  return { kind: 'weights', bySelector, unknown: unknown.all };
}

/** Only a member that is ALIVE serves anybody. A member without a status is ALIVE. */
export const serverset: Format = ({ json, name }) => {
  if (json === undefined) return undefined;
  const vector = own(json, 'vector');
  if (name.startsWith(vectorPrefix) && Array.isArray(vector)) return weights(vector);
  if (!Object.hasOwn(json, 'serviceEndpoint')) return undefined;
  const address = addressOf(json);
  if (address === undefined) return { kind: 'skipped', reason: 'bad_address' };
  const status = own(json, 'status');
  const metadata = asObject(own(json, 'metadata')) ?? {};
  return reportedEndpoint(address, withNumbers(metadata), {
    eligible: status === undefined || status === 'ALIVE',
    selectors: selectorsOf(json, name),
    properties: freeProperties(metadata),
  });
};

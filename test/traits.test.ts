// Everything that handles traits follows the one table: what a registration says arrives wherever an endpoint is read or shown.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeLine, jsonLine } from '../src/commands/endpoint-lines.js';
import { endpointJson } from '../src/endpoint-json.js';
import { createMetrics } from '../src/metrics.js';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress, Traits } from '../src/model.js';
import { encodeChannelInfo } from '../src/registry/formats/channel-info.js';
import { decode } from '../src/registry/formats/decode.js';
import { checkedTraits, faultsOfTraits } from '../src/registry/formats/traits.js';
import { sameValues } from '../src/registry/reported-values.js';
import { traitNames, traitRules } from '../src/traits.js';

/** A value that each kind may have, and one that means nothing. */
const samples = {
  number: [0.5, 'half'],
  whole: [3, 0.5],
  text: ['north', 7],
  text_or_number: ['2.1', true],
  texts: [{ a: 'b' }, 'a=b'],
} as const;

const silent: Endpoint = {
  id: '/channels/news/a@1' as EndpointId,
  channel: 'news' as ChannelName,
  address: 'o:80' as ServiceAddress,
  load: undefined,
  bitrate: undefined,
  packetLoss: undefined,
  version: 0,
};

const unknownValues = await createMetrics({ process: false }).registry.metrics();

for (const name of traitNames) {
  const { field, kind } = traitRules[name];
  const [good, bad] = samples[kind];
  const traits: Traits = { [name]: good };
  const endpoint: Endpoint = { ...silent, ...traits };

  test(`${name}: what is written is read, from a node and from a file`, () => {
    const decoded = decode({
      name: 'a',
      level: 'endpoint',
      data: Buffer.from(encodeChannelInfo('o:80', silent, traits)),
    });
    assert.equal(decoded.kind, 'endpoints');
    assert.deepEqual(decoded.registrations[0].traits, traits);
    assert.deepEqual(checkedTraits(JSON.parse(JSON.stringify(endpoint))), traits);
  });

  test(`${name}: another value is a change`, () => {
    assert.ok(sameValues(endpoint, { ...silent, ...structuredClone(traits) }));
    assert.ok(!sameValues(endpoint, silent));
  });

  test(`${name}: the API and the listings show it`, () => {
    assert.deepEqual(endpointJson(endpoint)[name], good);
    assert.deepEqual(JSON.parse(jsonLine(endpoint))[name], good);
    if (kind !== 'texts') assert.match(changeLine('changed', endpoint), new RegExp(`  ${field} ${good}$`));
  });

  test(`${name}: what means nothing is told in words, and counted`, () => {
    assert.equal(faultsOfTraits({ [field]: good }).length, 0);
    assert.match(faultsOfTraits({ [field]: bad })[0] ?? '', new RegExp(`^${field}: expected `));
    const decoded = decode({
      name: 'a',
      level: 'endpoint',
      data: Buffer.from(JSON.stringify({ service_address: 'o:80', [field]: bad })),
    });
    assert.equal(decoded.kind, 'endpoints');
    const [unknown] = decoded.registrations[0].values.unknown;
    assert.equal(unknown?.field, field);
    assert.ok(unknownValues.includes(`field="${field}",reason="${unknown.reason}"`));
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '../../../src/registry/formats/decode.js';

const instance = { name: 'live', id: 'a', address: '10.0.0.1', port: 8080 };
const asFormat: Readonly<Record<string, (said: object) => object>> = {
  'spring-cloud': (metadata) => ({ ...instance, payload: { metadata } }),
  curator: (payload) => ({ ...instance, payload }),
  nerve: (said) => ({ host: '10.0.0.1', port: 8080, ...said }),
  metadata: (said) => ({ ip: '10.0.0.1', port: '8080', id: 'a', ...said }),
  'serverset metadata': (metadata) => ({ serviceEndpoint: { host: '10.0.0.1', port: 8080 }, metadata }),
};

function read(json: object): readonly (boolean | string | undefined)[] {
  const decoded = decode({ name: 'a', level: 'endpoint', data: Buffer.from(JSON.stringify(json)) });
  assert.ok(decoded.kind === 'endpoints', JSON.stringify(json));
  const [{ eligible, traits, values }] = decoded.registrations;
  return [eligible, traits.draining, values.unknown.map(({ field, reason }) => `${field} ${reason}`).join()];
}

for (const [format, write] of Object.entries(asFormat)) {
  test(`a status in the words of other registries takes an endpoint of ${format} out of service`, () => {
    for (const up of ['UP', 'up', 'ALIVE', 'live'])
      assert.deepEqual(read(write({ status: up })), [true, undefined, '']);
    for (const down of ['DOWN', 'Down', 'OUT_OF_SERVICE', 'STARTING', 'UNKNOWN', 'DEAD', 'off']) {
      assert.deepEqual(read(write({ status: down })), [false, undefined, ''], down);
    }
    assert.deepEqual(read(write({ status: 'draining' })), [true, true, '']);
    // A word of the application's own is no reason to leave it out.
    assert.deepEqual(read(write({ status: 'recording' })), [true, undefined, 'status not_known']);
  });
}

test("Spring's instance_status counts in Curator's plain payload too, and any but UP is not used", () => {
  for (const format of ['spring-cloud', 'curator']) {
    const eligible = (status: unknown) => read(asFormat[format]?.({ instance_status: status }) ?? {})[0];
    assert.deepEqual(['UP', 'up', null].map(eligible), [true, true, true], format);
    assert.deepEqual(['DOWN', 'MAINTENANCE', '', 1].map(eligible), [false, false, false, false], format);
  }
});

test("weir's own format knows only its own words", () => {
  assert.deepEqual(read({ service_address: 'o:80', status: 'DOWN' }), [true, undefined, 'status not_known']);
});

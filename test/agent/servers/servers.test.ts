// What holds for every kind of media server.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { kindNames, kinds } from '../../../src/agent/kinds.js';
import { addressOf } from '../../../src/agent/template.js';
import { parseServiceAddress } from '../../../src/net-address.js';
import { anyAnswer, anyPage, hear, nobody, playedApi, survives } from '../../support/media-api.js';
import { runs } from '../../support/runs.js';

for (const kind of kindNames) {
  describe(kind, () => {
    test('whatever it answers or calls is read, or refused as what it is', async () => {
      await fc.assert(
        fc.asyncProperty(fc.oneof(anyAnswer, anyPage), (answer) => survives(kind, answer)),
        { numRuns: runs(100) },
      );
    });

    test('a failure of its API is no empty list of streams', async () => {
      for (const answer of [500, 401, '', '{}', '[]', 'null', '<html>']) {
        const all = new Proxy({}, { get: () => answer });
        await assert.rejects(kinds[kind].create(nobody, () => 0).read(playedApi(all).ask), { name: 'BadAnswer' });
      }
    });

    test('calls that are none of a stream mean nothing', () => {
      for (const body of ['', '{}', '[]', 'null', '{"action":"on_play","stream":"x"}', 'call=play&name=x', '\0', '<']) {
        assert.equal(hear(kind, { body }), undefined);
      }
    });

    test('its address can be one', () => {
      const address = addressOf(kinds[kind].address, { vhost: '', app: 'live', name: 'news' }, '10.0.0.1');
      assert.notEqual(parseServiceAddress(address), undefined);
      assert.match(kinds[kind].api, /^http:\/\/127\.0\.0\.1:\d+/);
    });
  });
}

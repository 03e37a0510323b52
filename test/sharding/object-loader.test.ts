// An object from whichever worker owns the channel, in front of workers that answer as the test says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WeirError } from '../../src/errors.js';
import type { ServerOrigin } from '../../src/model.js';
import { peerServer } from '../../src/net-address.js';
import { createPeerLoad } from '../../src/sharding/object-loader.js';
import type { UpstreamClient, UpstreamHandler, UpstreamRequest } from '../../src/upstream/client.js';
import { waitFor } from '../support/wait.js';

/** A load whose owners the test names; what the player would get is in `heard`. */
function load(owner: () => ServerOrigin | undefined) {
  const sent: { request: UpstreamRequest; handler: UpstreamHandler }[] = [];
  const client: UpstreamClient = {
    send(request, handler) {
      sent.push({ request, handler });
      return { resume: () => undefined, abort: () => undefined };
    },
  };
  const heard: (string | number)[] = [];
  let retries = 0;
  const headers = { 'x-request-id': 'id-1' };
  const onRetry = () => {
    retries += 1;
  };
  const wanted = { owner, path: '/live/news/1.ts', headers, firstByteTimeoutMs: 9_000, patienceMs: 60_000, onRetry };
  const exchange = createPeerLoad(client, wanted)(
    { 'if-none-match': '"1"' },
    {
      onResponse: (status) => heard.push(status),
      onData: (chunk) => heard.push(chunk.toString()) > 0,
      onEnd: () => heard.push('end'),
      onError: ({ code }) => heard.push(code),
    },
  );
  return { sent, heard, exchange, retries: () => retries };
}

const [first, second] = [peerServer('worker-1'), peerServer('worker-2')];

test('the owner is asked as the player asked, with the conditions of a stored copy', () => {
  const { sent } = load(() => first);
  assert.deepEqual(sent[0]?.request, {
    server: first,
    path: '/live/news/1.ts',
    method: 'GET',
    headers: { 'x-request-id': 'id-1', 'if-none-match': '"1"' },
    firstByteTimeoutMs: 9_000,
  });
});

test('when the owner dies on the way, the next one gives the rest, and that is one retry', async () => {
  let owner: ServerOrigin | undefined = first;
  const { sent, heard, retries } = load(() => owner);
  sent[0]?.handler.onResponse(200, { 'content-length': '6' });
  sent[0]?.handler.onData(Buffer.from('abc'));
  owner = undefined;
  sent[0]?.handler.onError(new WeirError('upstream_cut'));
  owner = second;
  const { handler, request } = await waitFor(() => sent[1], { what: 'the next owner' });
  assert.equal(request.server, second);
  handler.onResponse(200, { 'content-length': '6' });
  handler.onData(Buffer.from('abcdef'));
  handler.onEnd();
  assert.deepEqual(heard, [200, 'abc', 'def', 'end']);
  assert.equal(retries(), 1);
});

test('an owner that says it is none is asked again until there is another one', async () => {
  let owner = first;
  const { sent, heard, retries } = load(() => owner);
  sent[0]?.handler.onResponse(421, {});
  await waitFor(() => sent.length === 2, { what: 'the same one again' });
  assert.equal(retries(), 0);
  owner = second;
  sent[1]?.handler.onResponse(421, {});
  await waitFor(() => sent.length === 3, { what: 'the other one' });
  sent[2]?.handler.onResponse(404, {});
  sent[2]?.handler.onEnd();
  assert.deepEqual([heard, retries()], [[404, 'end'], 1]);
});

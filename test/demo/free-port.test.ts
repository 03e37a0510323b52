import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePort } from '../../src/demo/free-port.js';
import { closedPort } from '../support/ports.js';

test('a port that is taken is replaced by a free one, which is free to take', async () => {
  const taken = await closedPort();
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(taken, '127.0.0.1', resolve));
  const other = await freePort('127.0.0.1', taken);
  assert.notEqual(other, taken);
  await new Promise((resolve) => holder.close(resolve));
  assert.equal(await freePort('127.0.0.1', taken), taken);
});

test('an address that is not of this machine is an error, not another port', async () => {
  await assert.rejects(freePort('192.0.2.1', 0), { code: 'EADDRNOTAVAIL' });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/package.js';
import { waitFor } from '../support/wait.js';

async function check(env: NodeJS.ProcessEnv) {
  const program = `${packageRoot}dist/src/commands/health-check.js`;
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

/** The check has a deadline, as the image has for it: on a busy machine it is made again. */
function inTime(env: NodeJS.ProcessEnv) {
  return waitFor(
    async () => {
      const result = await check(env);
      return result.stderr.includes('timeout') ? undefined : result;
    },
    { what: 'a check that is in time', deadline: 120_000 },
  );
}

test('the health check of the image follows the admin listener of the settings, and says why it fails', async () => {
  let status = 200;
  const admin = createServer((request, response) => {
    response.writeHead(request.url === '/healthz' ? status : 404).end();
  }).listen(0, '127.0.0.1');
  await once(admin, 'listening');
  const { port } = admin.address() as AddressInfo;
  const directory = mkdtempSync(join(tmpdir(), 'weir-health-'));
  try {
    const file = join(directory, 'weir.yaml');
    writeFileSync(file, `admin:\n  listen: :${port}\n`);
    assert.deepEqual(await inTime({ WEIR_CONFIG: file }), { code: 0, stderr: '' });
    assert.deepEqual(await inTime({ WEIR_ADMIN_LISTEN: `127.0.0.1:${port}` }), { code: 0, stderr: '' });
    status = 503;
    assert.deepEqual(await inTime({ WEIR_ADMIN_LISTEN: `:${port}` }), {
      code: 1,
      stderr: `weir: :${port} answers 503\n`,
    });
  } finally {
    admin.close();
    admin.closeAllConnections();
    rmSync(directory, { recursive: true });
  }
  const gone = await check({ WEIR_ADMIN_LISTEN: `127.0.0.1:${port}` });
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /^weir: .+\n$/);
});

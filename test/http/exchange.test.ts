import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { Access } from '../../src/access/access.js';
import { WeirError } from '../../src/errors.js';
import { PlayerExchange } from '../../src/http/exchange.js';
import type { Logger } from '../../src/log.js';
import { createMetrics } from '../../src/metrics.js';
import { testConfig } from '../support/data-plane.js';

/** The log line of a request that ends with this error, or well. */
function logged(trustForwarded: boolean, forwarded: string, error?: WeirError): Record<string, unknown> {
  const lines: Record<string, unknown>[] = [];
  const request = {
    url: '/live/news.flv',
    headers: { 'x-forwarded-for': forwarded },
    socket: { remoteAddress: '10.0.0.1' },
  };
  const exchange = new PlayerExchange(request as unknown as IncomingMessage, {
    settings: { ...testConfig().http, trustForwarded },
    log: { requests: true },
    logger: { info: (fields: Record<string, unknown>) => lines.push(fields) } as unknown as Logger,
    metrics: createMetrics({ process: false }),
    access: new Access(testConfig().access, Date.now),
    via: '1.1 weir-test',
    audience: 'players',
    draining: () => false,
  });
  if (error !== undefined) exchange.failed(error);
  exchange.ended();
  return lines[0] ?? {};
}

test('the log names the player, behind a trusted proxy the one it saw', () => {
  assert.equal(logged(false, '192.0.2.7').remote, '10.0.0.1');
  assert.equal(logged(true, 'made up, 192.0.2.7').remote, '192.0.2.7');
});

test("the log has the system's own word for what failed, and of a player's mistake only the code", () => {
  const detail = 'The endpoint does not accept the connection (ECONNREFUSED).';
  assert.equal(logged(false, '', new WeirError('upstream_connect', { detail })).detail, detail);
  assert.equal(logged(false, '', new WeirError('bad_request', { detail: 'x' })).detail, undefined);
});

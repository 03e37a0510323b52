// weir as a contestant: `weir serve` with the embedded registry on free ports, in front of one origin.

import { packageRoot } from '../../src/package.js';
import { type BenchProcess, node, start } from './process.js';

export interface WeirOptions {
  /** `KEY=VALUE`, besides those that keep the log still. */
  readonly settings: readonly string[];
  readonly channel: string;
  /** Its service address. */
  readonly origin: string;
  readonly core?: number;
}

/** Resolves when the origin is registered; it stays so for five minutes. `url` is where players ask. */
export async function startWeir(
  options: WeirOptions,
): Promise<{ readonly url: string; readonly process: BenchProcess }> {
  const settings = ['log.requests=false', 'log.level=warn', ...options.settings];
  const command = node(
    ...[`${packageRoot}dist/src/main.js`, 'serve', '--registry', 'embedded'],
    ...['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
    ...settings.flatMap((setting) => ['--set', setting]),
  );
  const process = await start(command, options.core);
  const [url, admin] = process.firstLine.match(/http:\/\/[^\s,]+/g) ?? [];
  if (url === undefined || admin === undefined) throw new Error(`weir did not say where it is: ${process.firstLine}`);
  const put = await fetch(`${admin}/api/v1/channels/${options.channel}/endpoints/origin`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service_address: options.origin, load: 0.1, bitrate: 1000, packet_loss_rate: 0, ttl: 300 }),
  });
  if (put.status !== 201) throw new Error(`registering the origin failed: ${put.status} ${await put.text()}`);
  return { url, process };
}

// Starts the hostile origin, registers its channels and asks for them as players would.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../../src/package.js';
import { register } from '../workers.js';
import type { Stage } from './stage.js';

export interface HostileOrigin {
  readonly address: string;
  readonly playlists: readonly string[];
  readonly streams: readonly string[];
  close(): void;
}

export async function startHostileOrigin(forbidden: string): Promise<HostileOrigin> {
  const entry = `${packageRoot}dist/test/support/harm/hostile-origin-entry.js`;
  const child = spawn(process.execPath, [entry, forbidden], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line', {
    signal: AbortSignal.timeout(60_000),
  })) as [string];
  return { ...(JSON.parse(line) as Omit<HostileOrigin, 'close'>), close: () => child.kill('SIGKILL') };
}

export interface Taken {
  readonly status: number;
  readonly text: string;
}

/** What a player gets within a time (ms) and a number of bytes, whichever is over first. Never rejects. */
export function take(url: string, longest: number, most = 1 << 20): Promise<Taken> {
  return new Promise((resolve) => {
    let [status, text] = [0, ''];
    const end = () => {
      clearTimeout(timer);
      request.destroy();
      resolve({ status, text });
    };
    const timer = setTimeout(end, longest);
    const request = get(url, { agent: false }, (response) => {
      status = response.statusCode ?? 0;
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (text.length >= most) end();
      });
      response.on('error', end).on('close', end);
    });
    request.on('error', end);
  });
}

/** ms that a player waits for what a hostile origin gives. */
const patience = 15_000;
/** What stands in the answers of the admin listener, and must never reach a player. */
export const behindTheEdge = /service_address|"endpoints"|weir_/;

/**
 * Players ask for these channels, twice each and all at once.
 *
 * @returns what they were shown that they must not see
 */
export async function provoke(stage: Stage, origin: HostileOrigin, names: readonly string[]): Promise<string[]> {
  for (const name of names) await register(stage.edge, name, origin.address);
  const urls = names.flatMap((name) =>
    ['.m3u8', '-1.ts', '.flv'].map((rest) => `${stage.edge.players}/live/${name}${rest}`),
  );
  const taken = await Promise.all([...urls, ...urls].map(async (url) => ({ url, ...(await take(url, patience)) })));
  return taken.filter(({ text }) => behindTheEdge.test(text)).map(({ url }) => `${url} shows what is behind the edge`);
}

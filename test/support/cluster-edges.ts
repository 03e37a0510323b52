// Edges with two workers as the tests of the cluster use them, and who watches what they serve.

import { Agent, get, type IncomingMessage } from 'node:http';
import { type OriginProcess, spawnOrigin } from './origin-process.js';
import { request } from './requests.js';
import { waitFor } from './wait.js';
import { serveWeir, type WeirProcess } from './weir.js';
import { register } from './workers.js';

export const playlist = '/live/news.m3u8';

/** @param cleanups where all of it is ended */
export function clusterEdges(cleanups: (() => unknown)[]) {
  async function origin(name: string, ...channels: string[]): Promise<OriginProcess> {
    const started = await spawnOrigin(name, ...channels);
    cleanups.push(() => started.kill());
    return started;
  }
  async function weir(...parameters: string[]): Promise<WeirProcess> {
    return keep(serveWeir('--set', 'workers=2', ...parameters));
  }
  async function keep(starting: Promise<WeirProcess>): Promise<WeirProcess> {
    const started = await starting;
    cleanups.push(() => started.stop());
    return started;
  }
  /** Two workers in front of one origin with the channel `news`. */
  async function edgeWithOrigin(...parameters: string[]): Promise<WeirProcess> {
    const { address } = await origin('a', 'news');
    // What is registered outlives the test on any machine.
    const lasting = ['--set', 'registry.embedded.maxTtl=1h'];
    const edge = await weir('--registry', 'embedded', '--set', 'log.requests=false', ...lasting, ...parameters);
    await register(edge, 'news', address);
    await served(edge);
    return edge;
  }
  /** Leaves no connection behind. */
  async function served(edge: WeirProcess): Promise<void> {
    const once = new Agent({ keepAlive: false });
    await waitFor(async () => (await request(edge.players + playlist, once)).status === 200, { what: 'the channel' });
  }
  /** A viewer of the channel `news`, who has joined. */
  async function watchFlv(edge: WeirProcess): Promise<{ bytes(): number; close(): void }> {
    const stream = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${edge.players}/live/news.flv`, { agent: new Agent({ keepAlive: false }) }, resolve).on('error', reject);
    });
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    stream.on('error', () => undefined);
    const close = () => void stream.destroy();
    cleanups.push(close);
    await waitFor(() => bytes > 0, { what: 'the stream' });
    return { bytes: () => bytes, close };
  }

  return { origin, weir, keep, edgeWithOrigin, served, watchFlv };
}

// Ports that have to be known before anybody listens on them.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that the system gives to outgoing connections and to whoever asks for any: one of these could be taken before
 * it is used, or while a server is restarted, even by an attempt to connect to that server.
 */
const range = [12_000, 32_000] as const;
const given = new Set<number>();

/** A port on 127.0.0.1 on which nobody listens, another one each time. */
export async function closedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(...range);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

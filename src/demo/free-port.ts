// A port to listen on: the expected one, or a free one where another program uses that.

import { type AddressInfo, createServer } from 'node:net';

/** Rejects when `host` is no address of this machine. */
export async function freePort(host: string, preferred: number): Promise<number> {
  try {
    return await tryPort(host, preferred);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    return tryPort(host, 0);
  }
}

async function tryPort(host: string, port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  await new Promise((resolve) => server.close(resolve));
  return bound;
}

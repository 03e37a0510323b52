// Bytes on a connection as an attacker sends them: no HTTP library that would mend or refuse them.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Statuses of answers, by how often each came; `none` for a connection that ended without one. */
export type Statuses = Map<string, number>;

/** A connection that never throws: whoever attacks is cut off now and then. */
export async function open({ host, port }: Target): Promise<Socket | undefined> {
  const socket = connect(port, host);
  socket.on('error', () => socket.destroy());
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(10_000) });
    return socket;
  } catch {
    socket.destroy();
    return undefined;
  }
}

/** So many connections, or as many as are taken. */
export async function openMany(target: Target, count: number): Promise<Socket[]> {
  const sockets: (Socket | undefined)[] = [];
  for (let done = 0; done < count; done += 50) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(50, count - done) }, () => open(target)))));
  }
  return sockets.filter((socket) => socket !== undefined);
}

export function closeAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy();
}

/** One GET as text; every line ends as it must. */
export const get = (target: string, ...fields: string[]): string =>
  `${[`GET ${target} HTTP/1.1`, 'Host: edge', ...fields].join('\r\n')}\r\n\r\n`;

/**
 * Sends requests one after the other over some connections at once, each in a packet of its own, and reads what comes.
 * Answers are told apart by their status line only: whoever floods does not look closely.
 */
export async function flood(target: Target, requests: readonly string[], connections = 16): Promise<Statuses> {
  const statuses: Statuses = new Map();
  let next = 0;
  const note = (status: string) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const lane = async () => {
    let socket: Socket | undefined;
    while (next < requests.length) {
      const request = requests[next] ?? '';
      next += 1;
      if (socket === undefined || socket.destroyed) socket = await open(target);
      if (socket === undefined) {
        note('none');
        continue;
      }
      const status = await ask(socket, request);
      note(status);
      if (status === 'none' || status === 'endless') socket.destroy();
    }
    socket?.destroy();
  };
  await Promise.all(Array.from({ length: connections }, lane));
  return statuses;
}

/** The status of the next answer, once its body is over as its length says; `endless` for a body without a length. */
function ask(socket: Socket, request: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const end = (status: string) => {
      clearTimeout(timer);
      socket.off('data', read).off('close', gone);
      resolve(status);
    };
    const gone = () => end('none');
    const timer = setTimeout(() => end('none'), 15_000);
    const read = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      if (head === -1) return;
      const status = text.slice(9, 12);
      const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, head))?.[1];
      const bodiless = status === '304' || status === '204' || request.startsWith('HEAD');
      if (bodiless) return end(status);
      if (length === undefined) return end('endless');
      if (text.length >= head + 4 + Number(length)) end(status);
    };
    socket.on('data', read).once('close', gone);
    socket.write(request, 'latin1');
  });
}

/** Keeps the connections for a while, doing this to each again and again; no more than `rounds` times. */
export async function hold(
  sockets: readonly Socket[],
  rounds: number,
  pause: number,
  act: (socket: Socket, round: number) => void,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const socket of sockets) if (!socket.destroyed) act(socket, round);
    await sleep(pause);
  }
}

// A ZooKeeper session in a process of its own, as the native client wants it: it registers endpoints and reports for them, or
// reads and watches the whole tree as barely as can be, for comparison.

import { performance } from 'node:perf_hooks';
import { anyVersion, loadClient, rc, type ZooKeeperClient } from '../../src/registry/zookeeper-client.js';

export interface Registration {
  /** Path of the channel's node. */
  readonly channel: string;
  readonly address: string;
}

export type Command =
  | { readonly kind: 'connect'; readonly address: string }
  /** Makes the channels, then an ephemeral node for each; answers the paths. */
  | { readonly kind: 'register'; readonly registrations: readonly Registration[] }
  /** Reports so many times a second, taking its endpoints in turn; answers how many it sent. */
  | { readonly kind: 'flow'; readonly rate: number; readonly seconds: number }
  /** Reports this load for its first endpoint; answers when the server had it, in epoch ms. */
  | { readonly kind: 'report'; readonly load: number }
  /** Reads everything below the root and watches it; answers how long that took, and the CPU time for it. */
  | { readonly kind: 'read'; readonly root: string }
  /** Answers when a change of this node to this load was read, in epoch ms. */
  | { readonly kind: 'seen'; readonly path: string; readonly load: number }
  | { readonly kind: 'end' };

const depth = 1_000;
const now = () => performance.timeOrigin + performance.now();
let client: ZooKeeperClient;
const own: { readonly path: string; readonly address: string }[] = [];
/** When a load of a node was first read. */
const seen = new Map<string, number>();

const data = (address: string, load: number) =>
  JSON.stringify({ service_address: address, load, bitrate: 2_000, packet_loss_rate: 0 });

/** Does it for all, so many at once. */
async function each<T>(all: Iterable<T>, act: (one: T) => Promise<void>): Promise<void> {
  const left = all[Symbol.iterator]();
  const walk = async () => {
    for (let next = left.next(); next.done !== true; next = left.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: depth }, walk));
}

function read(path: string, note: boolean): Promise<void> {
  return new Promise((resolve) => {
    client.get(path, true, (code, bytes) => {
      if (note && code === rc.ok) {
        const { load } = JSON.parse(Buffer.from(bytes).toString()) as { load: number };
        seen.set(`${path} ${load}`, now());
      }
      resolve();
    });
  });
}

const children = (path: string) =>
  new Promise<readonly string[]>((resolve) => client.children(path, true, (_code, names) => resolve(names)));

async function connect(address: string): Promise<void> {
  const make = await loadClient();
  client = await new Promise<ZooKeeperClient>((resolve, reject) => {
    const made = make(
      { connect: address, timeout: 10_000, digest: undefined },
      {
        connect: () => setImmediate(() => resolve(made)),
        connecting() {},
        close: reject,
        watch: (event, path) => {
          if (event === 'changed') void read(path, true);
        },
      },
    );
  });
}

async function register(registrations: readonly Registration[]): Promise<string[]> {
  const create = (path: string, text: string, mode: 'persistent' | 'ephemeral-sequential') =>
    new Promise<string>((resolve, reject) => {
      client.create(path, text, mode, (code, made) => {
        if (code === rc.ok || code === rc.nodeExists) resolve(made);
        else reject(new Error(`${path}: ${code}`));
      });
    });
  await create('/channels', '', 'persistent');
  await each(new Set(registrations.map(({ channel }) => channel)), async (path) => {
    await create(path, '', 'persistent');
  });
  await each(registrations, async ({ channel, address }) => {
    own.push({ path: await create(`${channel}/e-`, data(address, 0.1), 'ephemeral-sequential'), address });
  });
  return own.map(({ path }) => path);
}

async function flow(rate: number, seconds: number): Promise<number> {
  let sent = 0;
  for (const began = performance.now(); performance.now() - began < seconds * 1_000; ) {
    const due = ((performance.now() - began) / 1_000) * rate;
    for (; sent < due; sent += 1) {
      const at = own[1 + (sent % Math.max(1, own.length - 1))];
      if (at !== undefined) client.set(at.path, data(at.address, Math.random()), anyVersion, () => undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return sent;
}

/** Both in ms. */
export interface ReadCost {
  readonly time: number;
  readonly cpu: number;
}

async function readAll(root: string): Promise<ReadCost> {
  const began = performance.now();
  const before = process.cpuUsage();
  const names = await children(root);
  await each(names, async (name) => {
    await read(`${root}/${name}`, false);
    const below = await children(`${root}/${name}`);
    await Promise.all(below.map((child) => read(`${root}/${name}/${child}`, false)));
  });
  const { user, system } = process.cpuUsage(before);
  return { time: performance.now() - began, cpu: (user + system) / 1e3 };
}

async function act(command: Command): Promise<unknown> {
  switch (command.kind) {
    case 'connect':
      return await connect(command.address);
    case 'register':
      return await register(command.registrations);
    case 'flow':
      return await flow(command.rate, command.seconds);
    case 'report': {
      const [first] = own;
      if (first === undefined) throw new Error('it has no endpoint');
      await new Promise((resolve) => client.set(first.path, data(first.address, command.load), anyVersion, resolve));
      return now();
    }
    case 'read':
      return await readAll(command.root);
    case 'seen':
      while (!seen.has(`${command.path} ${command.load}`)) await new Promise((resolve) => setTimeout(resolve, 1));
      return seen.get(`${command.path} ${command.load}`);
    case 'end':
      setImmediate(() => {
        client.close();
        process.disconnect();
      });
      return true;
  }
}

process.on('message', ({ id, command }: { id: number; command: Command }) => {
  act(command).then(
    (answer) => process.send?.({ id, answer }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});

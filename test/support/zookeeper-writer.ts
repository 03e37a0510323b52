// A process that writes nodes as it is told over IPC, and ends.

import { anyVersion, loadClient, rc, type ZooKeeperClient } from '../../src/registry/zookeeper-client.js';

export interface Write {
  readonly path: string;
  readonly data: string | Uint8Array;
}

async function write(client: ZooKeeperClient, { path, data }: Write): Promise<void> {
  const made = await new Promise<number>((resolve) => client.create(path, data, 'persistent', resolve));
  const code =
    made === rc.nodeExists ? await new Promise<number>((resolve) => client.set(path, data, anyVersion, resolve)) : made;
  if (code !== rc.ok) throw new Error(`${path}: ${code}`);
}

async function run({ address, writes }: { address: string; writes: readonly Write[] }): Promise<void> {
  const connect = await loadClient();
  const client = await new Promise<ZooKeeperClient>((resolve, reject) => {
    const made = connect(
      { connect: address, timeout: 10_000, digest: undefined },
      { connect: () => setImmediate(() => resolve(made)), connecting() {}, close: reject, watch() {} },
    );
  });
  // Parents come before their children in the list, and the server keeps the order.
  await Promise.all(writes.map((each) => write(client, each)));
  client.close();
  process.disconnect();
}

process.once('message', (message) => {
  run(message as Parameters<typeof run>[0]).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

// ZooKeeper's calls as promises, with errors that operators understand.

import { OperatorError } from '../errors.js';
import { anyVersion, isLost, rc, type Stat, type ZooKeeperClient } from './zookeeper-client.js';

const reasons: Record<number, string> = {
  [rc.noAuth]: 'not authorized, see registry.zookeeper.credentials and the ACL',
  [rc.noNode]: 'no such node; a chroot has to exist beforehand',
  [rc.badVersion]: 'somebody changed it meanwhile',
  [rc.nodeExists]: 'it exists already',
  [rc.notEmpty]: 'there are nodes below it',
  [rc.noChildrenForEphemerals]: 'the channel is an ephemeral node itself, which can have no endpoints below it',
};

/** An answer that ends an attempt. */
export class Failed extends OperatorError {
  constructor(
    readonly code: number,
    what: string,
  ) {
    const lost = isLost(code) ? 'the connection was lost; it may have been done or not' : 'failed';
    super(`${what}: ${reasons[code] ?? lost} (${code})`);
  }

  /** The connection was lost before the answer: the call may or may not have been executed. */
  get isLost(): boolean {
    return isLost(this.code);
  }
}

/** @throws Failed for every code but `ok` */
export async function check(what: string, send: (done: (code: number) => void) => void): Promise<void> {
  const code = await new Promise<number>(send);
  if (code !== rc.ok) throw new Failed(code, what);
}

/** The stat of a node, undefined when it does not exist; sets a watch in both cases. */
export async function exists(client: ZooKeeperClient, path: string): Promise<Stat | undefined> {
  return await new Promise((resolve, reject) => {
    client.exists(path, true, (code, stat) => {
      if (code === rc.ok || code === rc.noNode) resolve(stat);
      else reject(new Failed(code, `look for ${path}`));
    });
  });
}

/** The names of a node's children; empty when the node does not exist. */
export async function children(client: ZooKeeperClient, path: string): Promise<readonly string[]> {
  return await new Promise((resolve, reject) => {
    client.children(path, false, (code, names) => {
      if (code === rc.ok || code === rc.noNode) resolve(names);
      else reject(new Failed(code, `list ${path}`));
    });
  });
}

/** Deletes a node of any version. One that is gone already is fine. @throws Failed for any other code */
export async function remove(client: ZooKeeperClient, path: string): Promise<void> {
  const code = await new Promise<number>((resolve) => client.remove(path, anyVersion, resolve));
  if (code !== rc.ok && code !== rc.noNode) throw new Failed(code, `delete ${path}`);
}

/** True where everybody may create and delete below. */
export async function isOpen(client: ZooKeeperClient, path: string): Promise<boolean> {
  return await new Promise((resolve) => client.access(path, (code, open) => resolve(code === rc.ok && open)));
}

/** `maybe`: the answer was lost. */
type Made = 'made' | 'there' | 'maybe';

/**
 * Makes a node without data; `container` becomes `persistent` on servers before 3.5. @throws Failed when it cannot be
 * made
 */
export async function makeFolder(
  client: ZooKeeperClient,
  path: string,
  mode: 'persistent' | 'container',
): Promise<Made> {
  const code = await new Promise<number>((resolve) => client.create(path, '', mode, resolve));
  // Servers before 3.5 know no containers.
  if (code === rc.unimplemented && mode === 'container') return await makeFolder(client, path, 'persistent');
  if (code === rc.ok) return 'made';
  if (code === rc.nodeExists) return 'there';
  if (isLost(code)) return 'maybe';
  throw new Failed(code, `create ${path}`);
}

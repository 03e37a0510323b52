// Reads and writes single nodes by compare-and-set: changes that somebody else made meanwhile are never overwritten.

import { OperatorError } from '../errors.js';
import { check, children, Failed, makeFolder } from './zookeeper-calls.js';
import { rc, type Stat, type ZooKeeperClient } from './zookeeper-client.js';

/** A node as it was read. */
export interface NodeState {
  readonly path: string;
  readonly data: Uint8Array;
  readonly stat: Stat;
}

/** Somebody else changed the node first: nothing was written. */
export class Conflict extends OperatorError {
  override readonly exitCode = 3;

  /** @param current the node as it is now; undefined: it does not exist */
  constructor(
    readonly path: string,
    readonly expected: number | 'absent',
    readonly current: NodeState | undefined,
  ) {
    const was = expected === 'absent' ? 'there was no such node' : `it had version ${expected}`;
    const is = current === undefined ? 'there is none now' : `it has version ${current.stat.version} now`;
    super(`${path}: ${was}, ${is}; nothing was written`);
  }
}

/** Reads a node after a sync, so that the answer is not that of a server which lags behind. Undefined: it does not exist. */
export async function readNode(client: ZooKeeperClient, path: string): Promise<NodeState | undefined> {
  await new Promise<void>((resolve, reject) => {
    client.sync(path, (code) => {
      if (code === rc.ok || code === rc.noNode) resolve();
      else reject(new Failed(code, `sync ${path}`));
    });
  });
  return await new Promise((resolve, reject) => {
    client.get(path, false, (code, data, stat) => {
      if (code === rc.noNode) resolve(undefined);
      else if (code !== rc.ok || stat === undefined) reject(new Failed(code, `read ${path}`));
      else resolve({ path, data, stat });
    });
  });
}

/**
 * Writes the data of a node that has the version `expected`, or creates a node that is `absent`.
 *
 * @returns the new version
 * @throws Conflict when the node has another version, exists already or does not exist
 */
export async function writeNode(
  client: ZooKeeperClient,
  path: string,
  data: string | Uint8Array,
  expected: number | 'absent',
): Promise<number> {
  if (expected === 'absent') {
    const code = await new Promise<number>((resolve) => client.create(path, data, 'persistent', resolve));
    if (code === rc.nodeExists) throw new Conflict(path, expected, await readNode(client, path));
    if (code !== rc.ok) throw new Failed(code, `create ${path}`);
    return 0;
  }
  const { code, stat } = await new Promise<{ code: number; stat: Stat | undefined }>((resolve) => {
    client.set(path, data, expected, (code, stat) => resolve({ code, stat }));
  });
  if (code === rc.badVersion || code === rc.noNode) throw new Conflict(path, expected, await readNode(client, path));
  if (code !== rc.ok) throw new Failed(code, `set ${path}`);
  return stat?.version ?? expected + 1;
}

/**
 * Removes a node that has the version `expected` and no children.
 *
 * @throws Conflict when it has another version
 */
export async function removeNode(client: ZooKeeperClient, path: string, expected: number): Promise<void> {
  const code = await new Promise<number>((resolve) => client.remove(path, expected, resolve));
  if (code === rc.badVersion || code === rc.noNode) throw new Conflict(path, expected, await readNode(client, path));
  if (code !== rc.ok) throw new Failed(code, `delete ${path}`);
}

/**
 * Protects a node that was just created: only the session's credentials may change it or create and delete below it, and
 * everybody may read it. Until then it was open: ZooKeeper's client cannot create a node with its rights.
 *
 * @throws OperatorError when somebody created nodes in it before
 */
export async function protectNode(client: ZooKeeperClient, path: string): Promise<void> {
  await check(`protect ${path}`, (done) => client.protect(path, done));
  const strange = await children(client, path);
  if (strange.length === 0) return;
  const some = strange.slice(0, 3).join(', ');
  throw new OperatorError(`${path}: somebody made ${some} in it before it was protected; look at it, then try again`);
}

/**
 * Creates the nodes of `paths` that are missing, each below the one before it. With `protect`, those from the index `from` on
 * are protected with the credentials of the session; existing nodes keep their rights.
 */
export async function makeFolders(
  client: ZooKeeperClient,
  paths: readonly string[],
  protect: { readonly from: number } | undefined,
): Promise<void> {
  for (const [place, path] of paths.entries()) {
    const made = await makeFolder(client, path, 'persistent');
    if (made === 'maybe') throw new Failed(rc.connectionLoss, `create ${path}`);
    if (made === 'made' && protect !== undefined && place >= protect.from) await protectNode(client, path);
  }
}

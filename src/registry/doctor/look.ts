// Looks at a ZooKeeper and the roots of its trees as a client: rights, session, ensemble, clock. Writes only where it may.

import { randomUUID } from 'node:crypto';
import { below } from '../../tree-pattern.js';
import { children, Failed, remove } from '../zookeeper-calls.js';
import { type Acl, rc, type Stat, type ZooKeeperClient } from '../zookeeper-client.js';
import type { SeenRoot } from './findings.js';

export interface Look {
  /** Milliseconds that the server gave the session. */
  readonly sessionTimeout: number;
  readonly roots: readonly SeenRoot[];
  /** Lines of the ensemble's configuration; undefined where it tells none. */
  readonly configured: readonly string[] | undefined;
  /** Epoch milliseconds of the latest change that was looked at. */
  readonly newestMtime: number;
  /** Server's clock minus ours in milliseconds; undefined: not measured. */
  readonly skewMs: number | undefined;
}

/** Channels whose time of change is looked at. */
const maxChannels = 200;

function statOf(client: ZooKeeperClient, path: string): Promise<Stat | undefined> {
  return new Promise((resolve) => client.exists(path, false, (_, stat) => resolve(stat)));
}

function dataOf(client: ZooKeeperClient, path: string): Promise<{ code: number; data: Uint8Array }> {
  return new Promise((resolve) => client.get(path, false, (code, data) => resolve({ code, data })));
}

function aclOf(client: ZooKeeperClient, path: string): Promise<readonly Acl[] | undefined> {
  return new Promise((resolve) => client.acl(path, (code, acl) => resolve(code === rc.ok ? acl : undefined)));
}

/** Makes a node and removes it; its time says how the clocks differ. */
async function scratch(client: ZooKeeperClient, root: string, now: () => number) {
  const path = below(root, `weir-doctor-${randomUUID().slice(0, 8)}`);
  const before = now();
  try {
    const code = await new Promise<number>((resolve) => client.create(path, '', 'persistent', resolve));
    if (code !== rc.ok) throw new Failed(code, `create ${path}`);
    const after = now();
    const stat = await statOf(client, path);
    await remove(client, path);
    const skewMs = stat === undefined ? undefined : stat.ctime - Math.min(Math.max(stat.ctime, before), after);
    return { error: undefined, skewMs };
  } catch (error) {
    return { error: (error as Error).message, skewMs: undefined };
  }
}

/** The nodes above all channels. */
export interface RootsToSee {
  readonly bases: readonly string[];
  /** That of the tree that weir writes to. */
  readonly written: string | undefined;
  /** USER of the credentials. */
  readonly user: string | undefined;
  /** A node may be made below `written`, and removed. */
  readonly mayWrite: boolean;
}

async function seeRoot(client: ZooKeeperClient, path: string, roots: RootsToSee, now: () => number) {
  const { code } = await dataOf(client, path);
  const state = code === rc.noNode ? 'missing' : code === rc.noAuth ? 'no_auth' : 'there';
  if (code !== rc.ok && state === 'there') throw new Failed(code, `read ${path}`);
  const mayWrite = roots.mayWrite && path === roots.written && state === 'there';
  const tried = mayWrite ? await scratch(client, path, now) : undefined;
  const names = state === 'there' ? await children(client, path) : [];
  const paths = [path, ...names.slice(0, maxChannels).map((name) => below(path, name))];
  const stats = await Promise.all(paths.map((each) => statOf(client, each)));
  const newestMtime = Math.max(0, ...stats.map((stat) => stat?.mtime ?? 0));
  // What stands in trees of others is theirs.
  const user = path === roots.written ? roots.user : undefined;
  const seen: SeenRoot = { path, state, acl: await aclOf(client, path), user, scratch: tried };
  return { seen, newestMtime, skewMs: tried?.skewMs };
}

/** @param now epoch milliseconds */
export async function look(client: ZooKeeperClient, roots: RootsToSee, now: () => number): Promise<Look> {
  const config = await dataOf(client, '/zookeeper/config');
  const found = await Promise.all(roots.bases.map((path) => seeRoot(client, path, roots, now)));
  return {
    sessionTimeout: client.timeout,
    roots: found.map(({ seen }) => seen),
    configured: config.code === rc.ok ? Buffer.from(config.data).toString().split('\n') : undefined,
    newestMtime: Math.max(0, ...found.map(({ newestMtime }) => newestMtime)),
    skewMs: found.find(({ skewMs }) => skewMs !== undefined)?.skewMs,
  };
}

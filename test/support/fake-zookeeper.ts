// A ZooKeeper in memory whose answers a test may lose, before or after what was asked was done.

import { anyVersion, rc, type Stat, type ZooKeeperClient } from '../../src/registry/zookeeper-client.js';

interface FakeNode {
  data: string;
  readonly czxid: number;
  version: number;
  readonly session: number | undefined;
  protectedBy: number | undefined;
}

type Operation = 'get' | 'children' | 'exists' | 'create' | 'set' | 'remove' | 'protect' | 'access' | 'sync' | 'acl';

export class FakeZooKeeper {
  readonly nodes = new Map<string, FakeNode>();
  /** Every call as `operation path`, in order. */
  readonly calls: string[] = [];
  /** The next call that it names is lost: `before` or `after` it was done. */
  readonly losses: { readonly call: string; readonly when: 'before' | 'after' }[] = [];
  private zxid = 0;
  private sequence = 0;
  private sessions = 0;

  /** A client with a session of its own. */
  connect(): ZooKeeperClient {
    const session = ++this.sessions;
    const statOf = (node: FakeNode | undefined): Stat | undefined =>
      node && {
        czxid: node.czxid,
        ctime: node.czxid,
        version: node.version,
        mtime: node.czxid + node.version,
        ephemeral: node.session !== undefined,
        mine: node.session === session,
      };
    const ask = (operation: Operation, path: string, work: () => number, done: (code: number) => void) => {
      const call = `${operation} ${path}`;
      this.calls.push(call);
      const at = this.losses.findIndex((loss) => loss.call === call);
      const [loss] = at < 0 ? [] : this.losses.splice(at, 1);
      const code = loss?.when === 'before' ? rc.connectionLoss : work();
      setImmediate(() => done(loss === undefined ? code : rc.connectionLoss));
    };
    const there = (path: string) => (this.nodes.has(path) ? rc.ok : rc.noNode);
    return {
      timeout: 4_000,
      get: (path, _, done) =>
        ask(
          'get',
          path,
          () => there(path),
          (code) => done(code, Buffer.from(this.nodes.get(path)?.data ?? ''), statOf(this.nodes.get(path))),
        ),
      children: (path, _, done) =>
        ask(
          'children',
          path,
          () => there(path),
          (code) => done(code, code === rc.ok ? this.below(path) : []),
        ),
      exists: (path, _, done) =>
        ask(
          'exists',
          path,
          () => there(path),
          (code) => done(code, code === rc.ok ? statOf(this.nodes.get(path)) : undefined),
        ),
      create: (target, data, mode, done) => {
        const sequential = mode === 'ephemeral-sequential';
        const path = sequential ? `${target}${String(this.sequence++).padStart(10, '0')}` : target;
        const work = () => {
          if (this.nodes.has(path)) return rc.nodeExists;
          const parent = path.slice(0, path.lastIndexOf('/'));
          if (parent !== '' && !this.nodes.has(parent)) return rc.noNode;
          const node = { data: String(data), czxid: ++this.zxid, version: 0, protectedBy: undefined };
          this.nodes.set(path, { ...node, session: sequential || mode === 'ephemeral' ? session : undefined });
          return rc.ok;
        };
        ask('create', target, work, (code) => done(code, code === rc.ok ? path : ''));
      },
      set: (path, data, version, done) => {
        const work = () => {
          const node = this.nodes.get(path);
          if (node === undefined) return rc.noNode;
          if (version !== anyVersion && version !== node.version) return rc.badVersion;
          node.data = String(data);
          node.version += 1;
          return rc.ok;
        };
        ask('set', path, work, (code) => done(code, code === rc.ok ? statOf(this.nodes.get(path)) : undefined));
      },
      remove: (path, version, done) => {
        const work = () => {
          const node = this.nodes.get(path);
          if (node === undefined) return rc.noNode;
          if (version !== anyVersion && version !== node.version) return rc.badVersion;
          if (this.below(path).length > 0) return rc.notEmpty;
          this.nodes.delete(path);
          return rc.ok;
        };
        ask('remove', path, work, done);
      },
      sync: (path, done) => ask('sync', path, () => there(path), done),
      protect: (path, done) => {
        const work = () => {
          const node = this.nodes.get(path);
          if (node !== undefined) node.protectedBy = session;
          return there(path);
        };
        ask('protect', path, work, done);
      },
      access: (path, done) => {
        const open = () => this.nodes.get(path)?.protectedBy === undefined;
        ask(
          'access',
          path,
          () => there(path),
          (code) => done(code, open()),
        );
      },
      acl: (path, done) =>
        ask(
          'acl',
          path,
          () => there(path),
          (code) => done(code, []),
        ),
      close: () => {},
    };
  }

  /** Names of the children. */
  below(path: string): string[] {
    return [...this.nodes.keys()]
      .filter((each) => each.slice(0, each.lastIndexOf('/')) === path)
      .map((each) => each.slice(path.length + 1));
  }

  /** The paths that everybody may write to. */
  get open(): string[] {
    return [...this.nodes].flatMap(([path, { protectedBy }]) => (protectedBy === undefined ? [path] : []));
  }
}

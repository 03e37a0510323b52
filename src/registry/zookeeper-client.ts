// A narrow, typed facade of the npm package `zookeeper`, and the only file that loads it. It covers only what is used here,
// and hides wrong types, errors that contain arguments (even credentials), and return codes that are easily overlooked.

import { OperatorError } from '../errors.js';

/** The return codes that decisions depend on. */
export const rc = {
  ok: 0,
  connectionLoss: -4,
  unimplemented: -6,
  operationTimeout: -7,
  invalidState: -9,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  closing: -116,
} as const;

/** Why a node cannot be read, as metrics and the log name it. */
export function unreadableReason(code: number): 'no_auth' | 'unreadable' {
  return code === rc.noAuth ? 'no_auth' : 'unreadable';
}

/** Whether the connection was lost before an answer, so that the code says nothing about the node. */
export function isLost(code: number): boolean {
  return (
    code === rc.connectionLoss ||
    code === rc.operationTimeout ||
    code === rc.invalidState ||
    code === rc.sessionExpired ||
    code === rc.closing
  );
}

export interface Stat {
  /** Transaction that created the node. A server that lost its data counts them from the beginning again. */
  readonly czxid: number;
  /** When it was created, in epoch milliseconds. */
  readonly ctime: number;
  /** The number of changes of its data. */
  readonly version: number;
  /** When its data were changed last, in epoch milliseconds. */
  readonly mtime: number;
  readonly ephemeral: boolean;
  /** The ephemeral node belongs to this client's session. */
  readonly mine: boolean;
}

export type WatchEvent = 'created' | 'changed' | 'child' | 'deleted';

export interface ClientEvents {
  /** A session was opened, or the connection of a known one came back. */
  connect(): void;
  /** The connection is lost; the session may still be alive. */
  connecting(): void;
  /** The client is of no use any more. */
  close(reason: 'expired' | 'auth_failed' | 'closed'): void;
  watch(event: WatchEvent, path: string): void;
}

export interface ClientOptions {
  /** `IP:PORT[,IP:PORT…][/chroot]`: never names, which would be resolved on the event loop at every I/O event. */
  readonly connect: string;
  /** The requested session timeout in ms. */
  readonly timeout: number;
  /** `USER:PASSWORD`. */
  readonly digest: string | undefined;
}

/** Every callback comes exactly once, in the order of the answers; `code` is 0 or one of ZooKeeper's error codes. */
export interface ZooKeeperClient {
  /** The negotiated session timeout in milliseconds. */
  readonly timeout: number;
  get(path: string, watch: boolean, done: (code: number, data: Uint8Array, stat: Stat | undefined) => void): void;
  children(path: string, watch: boolean, done: (code: number, names: readonly string[]) => void): void;
  exists(path: string, watch: boolean, done: (code: number, stat: Stat | undefined) => void): void;
  create(path: string, data: string | Uint8Array, mode: CreateMode, done: (code: number, path: string) => void): void;
  /** Only if the node has this version, or whatever it has: `anyVersion`. `badVersion`: it has another one. */
  set(
    path: string,
    data: string | Uint8Array,
    version: number,
    done: (code: number, stat: Stat | undefined) => void,
  ): void;
  /** As `set` with the version. `notEmpty`: there are nodes below. */
  remove(path: string, version: number, done: (code: number) => void): void;
  /** Reads after this call see all that others wrote before it. */
  sync(path: string, done: (code: number) => void): void;
  /** Only the authenticated user may write, create and delete below, and everybody may read. */
  protect(path: string, done: (code: number) => void): void;
  /** `open`: everybody may create or delete below. */
  access(path: string, done: (code: number, open: boolean) => void): void;
  /** Who may do what with a node. */
  acl(path: string, done: (code: number, acl: readonly Acl[]) => void): void;
  /** Ends the session. Never call it inside an event: it frees what the native code still uses. Idempotent. */
  close(): void;
}

interface NativeStat {
  readonly czxid: number;
  readonly ctime: Date;
  readonly version: number;
  readonly mtime: Date;
  readonly ephemeralOwner: string;
  readonly createdInThisSession: boolean;
}

interface NativeReads {
  a_get(
    path: string,
    watch: boolean,
    done: (code: number, text: string, stat: NativeStat | null, data: Buffer | null) => void,
  ): number;
  a_get_children(
    path: string,
    watch: boolean,
    done: (code: number, text: string, names: string[] | null) => void,
  ): number;
  a_exists(path: string, watch: boolean, done: (code: number, text: string, stat: NativeStat | null) => void): number;
}

interface NativeClient extends NativeReads {
  /** What the package wraps: the same calls, without a text of all arguments for a log that nobody reads. */
  readonly native?: NativeReads;
  readonly timeout: number;
  init(options: Record<string, unknown>): unknown;
  close(): void;
  on(event: 'connect' | 'connecting', listener: () => void): void;
  on(event: 'close', listener: (client: unknown, code: number) => void): void;
  on(event: WatchEvent, listener: (client: unknown, path: string) => void): void;
  add_auth(scheme: string, auth: string, done: (code: number) => void): number;
  a_create(
    path: string,
    data: string | Uint8Array,
    flags: number,
    done: (code: number, text: string, path: string) => void,
  ): number;
  a_set(
    path: string,
    data: string | Uint8Array,
    version: number,
    done: (code: number, text: string, stat: NativeStat | null) => void,
  ): number;
  a_sync(path: string, done: (code: number) => void): number;
  a_delete_(path: string, version: number, done: (code: number) => void): number;
  a_set_acl(path: string, version: number, acl: Acl[], done: (code: number) => void): number;
  a_get_acl(path: string, done: (code: number, text: string, acl: Acl[] | null) => void): number;
}

/** What one identity may do: `world` `anyone`, or `digest` `USER:HASH`. */
export interface Acl {
  /** Bits of `rights`. */
  readonly perms: number;
  readonly scheme: string;
  readonly auth: string;
}

/** ZooKeeper's bits of rights. */
export const rights = { read: 1, create: 4, delete: 8, all: 31 } as const;

/** For `set` and `remove`: any version. */
export const anyVersion = -1;
const noData = new Uint8Array();
const createFlags = { persistent: 0, ephemeral: 1, 'ephemeral-sequential': 3, container: 4 } as const;
export type CreateMode = keyof typeof createFlags;
const closeReasons: Record<number, 'expired' | 'auth_failed'> = { [-112]: 'expired', [-113]: 'auth_failed' };

function toStat(stat: NativeStat | null): Stat | undefined {
  if (stat === null) return undefined;
  const { czxid, ctime, version, mtime, ephemeralOwner, createdInThisSession: mine } = stat;
  const times = { ctime: ctime.getTime(), mtime: mtime.getTime() };
  return { czxid, version, ...times, ephemeral: ephemeralOwner !== '0', mine };
}

/** The package is optional and native: when it does not load, no retry helps. */
const clientMissing =
  'The npm package `zookeeper` is not installed or was not built, so ZooKeeper cannot be used. Install gcc, g++, make and ' +
  'python3 (Debian: apt-get install build-essential python3), then run `npm install` and `npm rebuild zookeeper` in the ' +
  'directory of weir. Without ZooKeeper: `--registry embedded`.';

export type ConnectClient = (options: ClientOptions, events: ClientEvents) => ZooKeeperClient;

/**
 * Loads the native client. It may abort the process it is in, so no player's connection lives there.
 *
 * @throws OperatorError where it is not installed or does not load
 */
export async function loadClient(): Promise<ConnectClient> {
  try {
    const module: unknown = await import('zookeeper');
    const { default: Native } = module as { default: new () => NativeClient };
    return (options, events) => connect(new Native(), options, events);
  } catch (error) {
    // The system lacks a resource, which may pass.
    if (['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new OperatorError(clientMissing, { cause: error });
  }
}

function connect(native: NativeClient, options: ClientOptions, events: ClientEvents): ZooKeeperClient {
  let closed = false;
  native.on('connect', () => events.connect());
  native.on('connecting', () => events.connecting());
  native.on('close', (_, code) => {
    closed = true;
    events.close(closeReasons[code] ?? 'closed');
  });
  for (const event of ['created', 'changed', 'child', 'deleted'] as const) {
    native.on(event, (_, path) => events.watch(event, path));
  }
  native.init({
    connect: options.connect,
    timeout: options.timeout,
    debug_level: 0,
    host_order_deterministic: false,
    // More than 10 partial reads in a row, as one node of 1 MB takes, would otherwise close the client as expired.
    response_counter_limit: 1e9,
  });
  if (options.digest !== undefined) native.add_auth('digest', options.digest, () => {});

  // Of these there are hundreds of thousands in a row.
  const reads = native.native ?? native;
  /** A nonzero return value means that the callback never comes. */
  const failing = (returned: number, done: (code: number) => void) => {
    if (returned !== 0) queueMicrotask(() => done(returned));
  };
  return {
    get timeout() {
      return native.timeout;
    },
    get(path, watch, done) {
      const returned = reads.a_get(path, watch, (code, _, stat, data) => done(code, data ?? noData, toStat(stat)));
      failing(returned, (code) => done(code, noData, undefined));
    },
    children(path, watch, done) {
      const returned = reads.a_get_children(path, watch, (code, _, names) => done(code, names ?? []));
      failing(returned, (code) => done(code, []));
    },
    exists(path, watch, done) {
      const returned = reads.a_exists(path, watch, (code, _, stat) => done(code, toStat(stat)));
      failing(returned, (code) => done(code, undefined));
    },
    create(path, data, mode, done) {
      const returned = native.a_create(path, data, createFlags[mode], (code, _, made) => done(code, made));
      failing(returned, (code) => done(code, ''));
    },
    set(path, data, version, done) {
      const returned = native.a_set(path, data, version, (code, _, stat) => done(code, toStat(stat)));
      failing(returned, (code) => done(code, undefined));
    },
    remove(path, version, done) {
      const returned = native.a_delete_(path, version, (code) => done(code));
      failing(returned, done);
    },
    sync(path, done) {
      const returned = native.a_sync(path, (code) => done(code));
      failing(returned, done);
    },
    protect(path, done) {
      const acl = [
        { perms: rights.all, scheme: 'auth', auth: '' },
        { perms: rights.read, scheme: 'world', auth: 'anyone' },
      ];
      const returned = native.a_set_acl(path, anyVersion, acl, (code) => done(code));
      failing(returned, done);
    },
    access(path, done) {
      const structural = rights.create | rights.delete;
      const returned = native.a_get_acl(path, (code, _, acl) => {
        done(code, acl?.some(({ perms, scheme }) => scheme === 'world' && (perms & structural) !== 0) ?? false);
      });
      failing(returned, (code) => done(code, false));
    },
    acl(path, done) {
      const returned = native.a_get_acl(path, (code, _, acl) => done(code, acl ?? []));
      failing(returned, (code) => done(code, []));
    },
    close() {
      if (closed) return;
      closed = true;
      native.close();
    },
  };
}

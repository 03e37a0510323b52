// The calls of one connection of a fleet's session. When the connection is lost, all that are under way end.

import { makeFolder } from '../zookeeper-calls.js';
import { anyVersion, isLost, rc, type ZooKeeperClient } from '../zookeeper-client.js';
import { type CreateMode, FleetError, type FleetNode, fleetError, maxDataBytes } from './session.js';

const modes = {
  persistent: 'persistent',
  ephemeral: 'ephemeral',
  ephemeral_sequential: 'ephemeral-sequential',
} as const;

/** Ends with `end`; what is asked or answered later is lost. */
export class NodeCalls {
  readonly #open = new Set<() => void>();
  #ended = false;

  /** @param root what is made there and below is for the session's credentials alone; undefined: for everybody */
  constructor(
    readonly client: ZooKeeperClient,
    private readonly root: string | undefined,
  ) {}

  /** Everything under way is lost. */
  end(): void {
    this.#ended = true;
    for (const lose of [...this.#open]) lose();
    this.#open.clear();
  }

  /** Asks the leader of the ensemble, which alone knows whether a session lives. */
  confirm(): Promise<void> {
    const what = 'confirm the session';
    return this.#answer(what, (resolve, reject) => {
      this.client.sync('/', (code) => {
        // Whatever a server says of the path, it knows the session.
        if (isLost(code)) reject(fleetError(code, what));
        else resolve();
      });
    });
  }

  get(path: string): Promise<FleetNode | undefined> {
    const what = `read ${path}`;
    return this.#answer(what, (resolve, reject) => {
      this.client.get(path, false, (code, data, stat) => {
        if (code === rc.noNode) return resolve(undefined);
        if (code !== rc.ok || stat === undefined) return reject(fleetError(code, what));
        if (data.byteLength > maxDataBytes) return reject(new FleetError('too_large', what));
        const { version, czxid, mine } = stat;
        resolve({ data: new TextDecoder().decode(data), version, czxid: String(czxid), mine });
      });
    });
  }

  children(path: string): Promise<readonly string[] | undefined> {
    const what = `list ${path}`;
    return this.#answer(what, (resolve, reject) => {
      this.client.children(path, false, (code, names) => {
        if (code === rc.ok) resolve(names);
        else if (code === rc.noNode) resolve(undefined);
        else reject(fleetError(code, what));
      });
    });
  }

  async create(path: string, data: string, mode: CreateMode): Promise<string> {
    try {
      return await this.#create(path, data, mode);
    } catch (error) {
      if (!(error instanceof FleetError) || error.kind !== 'missing') throw error;
      await this.#makeParents(path);
      return await this.#create(path, data, mode);
    }
  }

  set(path: string, data: string, version: number): Promise<number> {
    const what = `set ${path}`;
    return this.#answer(what, (resolve, reject) => {
      this.client.set(path, data, version, (code, stat) => {
        if (code === rc.ok) resolve(stat?.version ?? version + 1);
        else reject(fleetError(code, what));
      });
    });
  }

  remove(path: string, version = anyVersion): Promise<void> {
    const what = `remove ${path}`;
    return this.#answer(what, (resolve, reject) => {
      this.client.remove(path, version, (code) => {
        if (code === rc.ok || code === rc.noNode) resolve();
        else reject(fleetError(code, what));
      });
    });
  }

  async #create(path: string, data: string, mode: CreateMode): Promise<string> {
    const what = `create ${path}`;
    const made = await this.#answer<string>(what, (resolve, reject) => {
      this.client.create(path, data, modes[mode], (code, made) => {
        if (code === rc.ok) resolve(made);
        else reject(fleetError(code, what));
      });
    });
    await this.#protect(made);
    return made;
  }

  async #makeParents(path: string): Promise<void> {
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
      const parent = path.slice(0, end);
      const what = `create ${parent}`;
      const made = await this.#answer<string>(what, (resolve, reject) => {
        makeFolder(this.client, parent, 'persistent').then(resolve, () => reject(new FleetError('denied', what)));
      });
      if (made !== 'there') await this.#protect(parent);
    }
  }

  async #protect(path: string): Promise<void> {
    if (this.root === undefined || (path !== this.root && !path.startsWith(`${this.root}/`))) return;
    const what = `protect ${path}`;
    await this.#answer<void>(what, (resolve, reject) => {
      this.client.protect(path, (code) => {
        // Gone again, or another edge was first.
        if (code === rc.ok || code === rc.noNode || code === rc.noAuth) resolve();
        else reject(fleetError(code, what));
      });
    });
  }

  #answer<T>(
    what: string,
    ask: (resolve: (value: T) => void, reject: (error: FleetError) => void) => void,
  ): Promise<T> {
    if (this.#ended) return Promise.reject(new FleetError('lost', what));
    return new Promise((resolve, reject) => {
      const lose = () => reject(new FleetError('lost', what));
      this.#open.add(lose);
      ask(
        (value) => {
          this.#open.delete(lose);
          resolve(value);
        },
        (error) => {
          this.#open.delete(lose);
          reject(error);
        },
      );
    });
  }
}

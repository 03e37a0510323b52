// Makes the nodes above an endpoint in ZooKeeper, and protects what is made here with the credentials.

import type { RegistryLogger } from '../registry/logger.js';
import { exists, Failed, makeFolder } from '../registry/zookeeper-calls.js';
import { rc, type ZooKeeperClient } from '../registry/zookeeper-client.js';
import { withAncestors } from '../tree-pattern.js';

interface FolderSettings {
  /** The node above all folders, which stays for good. */
  readonly base: string;
  /** The base, or below it. */
  readonly folder: string;
  readonly credentials: string | undefined;
}

/** The folders of one endpoint, and what of them and below them is not protected yet. */
export class OwnFolders {
  /** Paths that were made here. Others may write there until they are protected. */
  readonly #unprotected = new Set<string>();
  readonly #settings: FolderSettings;
  readonly #logger: RegistryLogger;

  constructor(settings: FolderSettings, logger: RegistryLogger) {
    this.#settings = settings;
    this.#logger = logger;
  }

  /** Makes the base, which stays for good, and what is below it as containers, which the server removes when they are empty. */
  async make(client: ZooKeeperClient): Promise<void> {
    const { base, folder } = this.#settings;
    if ((await exists(client, folder)) === undefined) {
      const last = withAncestors(base).length - 1;
      for (const [depth, path] of withAncestors(folder).entries()) {
        if (depth < last) await makeFolder(client, path, 'persistent');
        else await this.#makeProtected(client, path, depth === last ? 'persistent' : 'container');
      }
    }
    await this.protect(client);
  }

  /** A node was made here, which `protect` protects. */
  made(path: string): void {
    if (this.#settings.credentials !== undefined) this.#unprotected.add(path);
  }

  /** Protects what was made here; sends again what was lost. */
  async protect(client: ZooKeeperClient): Promise<void> {
    for (const path of this.#unprotected) {
      const code = await new Promise<number>((resolve) => client.protect(path, resolve));
      if (code !== rc.ok && code !== rc.noNode && code !== rc.noAuth) throw new Failed(code, `protect ${path}`);
      if (code === rc.noAuth) this.#logger.warn({ path }, 'protected by somebody else meanwhile');
      this.#unprotected.delete(path);
    }
  }

  /** The right to create and delete nodes belongs to the node above them. A node that exists already is left to its owner. */
  async #makeProtected(client: ZooKeeperClient, path: string, mode: 'persistent' | 'container'): Promise<void> {
    const made = await makeFolder(client, path, mode);
    if (made !== 'there') this.made(path);
    if (made === 'maybe') throw new Failed(rc.connectionLoss, `create ${path}`);
    await this.protect(client);
  }
}

// What a running edge is, however many processes it has.

import type { AddressInfo } from 'node:net';
import type { AdminExtension } from '../admin/server.js';
import type { Config } from '../config-schema.js';
import type { Fleet } from '../fleet/fleet.js';
import type { Registry } from '../registry/registry.js';

export interface Edge {
  readonly dataAddress: AddressInfo;
  readonly adminAddress: AddressInfo;
  /** Undefined: it is in none. */
  readonly fleet: Pick<Fleet, 'place' | 'announce'> | undefined;
  /** Resolves when players can be served: the registry was read, or an earlier snapshot restored. */
  ready(): Promise<void>;
  /**
   * Puts new settings into effect: in place where that is possible, else with new workers, one after the other and with no
   * connection refused. `renew`: new workers even where nothing changed. Resolves when all of that is done but for the
   * players who are still finishing; rejects, with the edge as it was, when the new workers cannot start. Of those that
   * come while one is under way only the newest counts.
   */
  reload(config: Config, renew: boolean): Promise<void>;
  /** For the metrics: there were settings that could not be read. */
  settingsRefused(): void;
  /**
   * From now on it is not ready. Accepts players for `shutdown.delay` still, lets them finish for `shutdown.grace`, then
   * ends everything.
   */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}

/** Where endpoints come from, with the admin paths it brings along. */
export interface RegistrySource {
  readonly registry: Registry;
  readonly adminExtensions: readonly AdminExtension[];
}

// The origins' side of the registry: keeps endpoints registered through outages of the registry.

import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import type { Logger } from '../log.js';
import type { ChannelName } from '../model.js';
import { parseServiceAddress } from '../net-address.js';
import { registryLogger } from '../registry/create.js';
import { encodeChannelInfo } from '../registry/formats/channel-info.js';
import { encodeReport } from '../registry/formats/report.js';
import { faultsOfTraits } from '../registry/formats/traits.js';
import { parseChannelName } from '../registry/names.js';
import { tlsOf } from '../registry/tls/connection.js';
import { registrationTreeOf } from '../registry/write-tree.js';
import { traitsByField } from '../traits.js';
import { edgeUrl } from './edge-url.js';
import { LeaseKeeper } from './http.js';
import type { Keeper } from './keeper.js';
import { type EndpointInfo, mergeValues, type Registration, type ReportedValues } from './registration.js';
import { keepInZooKeeper } from './zookeeper.js';

export type { EndpointInfo, Registration, ReportedValues } from './registration.js';

/** Where a report stands. */
export interface ReportPlace {
  readonly folder: string;
  /** One path segment that nobody else uses. */
  readonly name: string;
}

export interface RegistrarOptions {
  /** Prefix of the sequential name in ZooKeeper; default `endpoint-`. */
  readonly prefix?: string;
  /** Time of a lease in the embedded registry; default 10 s. */
  readonly ttlMs?: number;
  /** Which of `registry.zookeeper.trees`; default: see `writeTreeOf`. */
  readonly tree?: string | undefined;
  /** Where the node with the shared load is made, in ZooKeeper; default: each endpoint has its own load. */
  readonly report?: ReportPlace | undefined;
}

export interface RegisterOptions extends RegistrarOptions {
  /** Ends the wait for the first registration. */
  readonly signal?: AbortSignal;
}

/** A node with a load that all endpoints share. */
export interface SharedReport {
  /** Where it stands. */
  readonly path: string;
  /**
   * It was made: endpoints name it from their next report on, and need no load of their own. It stays false where the
   * registry refuses the node.
   */
  readonly stands: boolean;
  /** Reports the load of all endpoints, 0 to 1; undefined is unknown. */
  update(load: number | undefined): void;
}

/** Registers endpoints of any number of channels over one session. */
export interface Registrar {
  /** Undefined: each endpoint has its own load. */
  readonly shared: SharedReport | undefined;
  /**
   * Registers the endpoint of a channel that has none of this registrar. It is registered again after a loss of the registry,
   * without an error; while the registry is out of reach, this tries again and again.
   *
   * @throws Error for a bad channel, address or value, and for a channel that has an endpoint already
   */
  register(channel: string, info: EndpointInfo): Registration;
  /** Takes all endpoints out at once and ends. Idempotent. */
  close(): Promise<void>;
}

/** @throws OperatorError where the client of ZooKeeper is missing, or no tree can be written to */
export async function openRegistrar(
  config: Config,
  logger: Logger,
  { prefix = 'endpoint-', ttlMs = 10_000, tree, report }: RegistrarOptions = {},
): Promise<Registrar> {
  const log = registryLogger(logger);
  const { registry } = config;
  if (registry.kind === 'file') {
    throw new OperatorError(
      'registry.kind is file: endpoints are written to that file, and nothing else registers there',
    );
  }
  if (registry.kind === 'zookeeper') {
    const { servers, sessionTimeout, credentials, tls } = registry.zookeeper;
    const place = registrationTreeOf(registry.zookeeper, tree);
    const session = { servers, sessionTimeout, credentials, tls: tlsOf(tls) };
    return registrarOf(await keepInZooKeeper({ ...session, place, prefix }, log), report);
  }
  return registrarOf(new LeaseKeeper({ url: edgeUrl(config), token: registry.embedded.token, ttlMs }, log));
}

/** A registrar over a keeper: checks each endpoint and encodes it for the registry. */
export function registrarOf(keeper: Keeper, report?: ReportPlace): Registrar {
  const taken = new Set<ChannelName>();
  const shared = report && shareReport(keeper, report);
  return {
    shared,
    register(channel, info) {
      const name = parseChannelName(channel);
      if (name === undefined) throw new Error(`channel: "${channel}" is not one path segment of 1 to 255 bytes`);
      const address = parseServiceAddress(info.address);
      if (address === undefined) throw new Error(`address: "${info.address}" is neither host:port nor an http(s) URL`);
      let values = mergeValues({}, info);
      const { traits = {} } = info;
      const [fault] = faultsOfTraits({ ...traits, ...traitsByField(traits) });
      if (fault !== undefined) throw new Error(fault);
      const data = () => {
        const said = { ...traits, status: values.status, report: shared?.stands ? shared.path : undefined };
        return encodeChannelInfo(address, values, said);
      };
      if (taken.has(name)) throw new Error(`channel: "${channel}" is registered already`);
      taken.add(name);
      const kept = keeper.keep(name, data());
      let over = false;
      return {
        get path() {
          return kept.path;
        },
        made: kept.made,
        update(update) {
          values = mergeValues(values, update);
          if (!over) kept.write(data());
        },
        close() {
          if (over) return;
          over = true;
          taken.delete(name);
          kept.remove();
        },
      };
    },
    close: () => keeper.close(),
  };
}

/** Keeps the node of a shared report; undefined where the registry has none. */
function shareReport(keeper: Keeper, { folder, name }: ReportPlace): SharedReport | undefined {
  const kept = keeper.report?.(folder, name, encodeReport(undefined));
  if (kept === undefined) return undefined;
  let state: 'awaited' | 'stands' | 'refused' = 'awaited';
  kept.made.then(
    () => {
      state = 'stands';
    },
    () => {
      state = 'refused';
      kept.remove();
    },
  );
  return {
    path: `${folder}/${name}`,
    get stands() {
      return state === 'stands';
    },
    update(load) {
      if (state !== 'refused') kept.write(encodeReport(load));
    },
  };
}

/** The same endpoint of several channels, until `close`. */
export interface RegisteredChannels {
  /** The present place of each, in the order of the channels. */
  readonly paths: readonly string[];
  /**
   * Reports new values for all of them; values that are not named stay.
   *
   * @throws RangeError for a value out of range
   */
  update(values: ReportedValues): void;
  /** Takes them out and ends. Idempotent. */
  close(): Promise<void>;
}

/**
 * Registers an endpoint of each of these channels and resolves when all are registered.
 *
 * @throws Error that no retry mends: a bad channel, address or value, refused credentials, a missing client
 */
export async function registerChannels(
  config: Config,
  channels: readonly string[],
  info: EndpointInfo,
  logger: Logger,
  { signal, ...options }: RegisterOptions = {},
): Promise<RegisteredChannels> {
  const registrar = await openRegistrar(config, logger, options);
  const aborted = abortion(signal);
  try {
    const registrations = [...new Set(channels)].map((channel) => registrar.register(channel, info));
    await Promise.race([Promise.all(registrations.map(({ made }) => made)), aborted.rejects]);
    return {
      get paths() {
        return registrations.map(({ path }) => path);
      },
      update(values) {
        for (const registration of registrations) registration.update(values);
      },
      close: () => registrar.close(),
    };
  } catch (error) {
    await registrar.close();
    throw error;
  } finally {
    aborted.forget();
  }
}

function abortion(signal: AbortSignal | undefined): { readonly rejects: Promise<never>; forget(): void } {
  let onAbort = () => {};
  const rejects = new Promise<never>((_, reject) => {
    onAbort = () => reject(new Error('given up before it was registered'));
  });
  rejects.catch(() => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return { rejects, forget: () => signal?.removeEventListener('abort', onAbort) };
}

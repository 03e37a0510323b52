// Whose document `weir config push` and its like are about, and the settings of an edge with the documents that hold for it.

import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { CentreDocument } from '../config/centre.js';
import type { ConfigRequest } from '../config.js';
import { ConfigError } from '../config.js';
import type { Config } from '../config-schema.js';
import { readLayer } from '../fleet/config/layer-store.js';
import { isName, layersOf, type Target } from '../fleet/config/layers.js';
import { defaultName } from '../fleet/own-address.js';
import { parseListenAddress } from '../net-address.js';
import { withFleet } from './fleet-session.js';
import { readSettings } from './settings.js';

/** Milliseconds until ZooKeeper has to have answered. */
const deadlineMs = 20_000;

export interface TargetFlags {
  readonly site?: string;
  readonly edge?: string;
}

/** `--site` and `--edge`. */
export function addTargetFlags(command: Command): Command {
  return command
    .option('--site <name>', 'only the edges of this site')
    .option('--edge <name>', 'only this edge of the site (default: the site in fleet.site)');
}

/** @throws ConfigError for what cannot be a name */
export function targetOf({ fleet }: Config, { site, edge }: TargetFlags): Target {
  for (const [flag, name] of Object.entries({ '--site': site, '--edge': edge })) {
    if (name === undefined || isName(name)) continue;
    throw new ConfigError([{ path: flag, message: 'expected a name of letters, digits, `.`, `_`, `:` and `-`' }]);
  }
  if (edge !== undefined) return { kind: 'edge', site: site ?? fleet.site, edge };
  return site === undefined ? { kind: 'all' } : { kind: 'site', site };
}

/** The edge that these settings are of. Its port is not known before it listens where `listen` leaves it open. */
export function ownTarget({ fleet, listen }: Config): Target & { readonly kind: 'edge' } {
  const port = parseListenAddress(listen)?.port ?? 0;
  return { kind: 'edge', site: fleet.site, edge: fleet.name ?? defaultName(hostname(), port) };
}

/** With what ZooKeeper says for this edge. */
export async function withCentre(request: ConfigRequest): Promise<ConfigRequest> {
  const { config } = readSettings(request);
  const layers = layersOf(config.fleet.root, ownTarget(config));
  const states = await withFleet(config, deadlineMs, (session) =>
    Promise.all(layers.map((layer) => readLayer(session, layer))),
  );
  const centre = states.flatMap(({ layer, document }): CentreDocument[] =>
    document === undefined ? [] : [{ name: layer, text: document.body }],
  );
  return { ...request, centre };
}

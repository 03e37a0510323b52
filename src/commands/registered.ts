// Reads the registered endpoints from the registry itself or from a running edge.

import type { Config } from '../config-schema.js';
import type { Logger } from '../log.js';
import type { Endpoint } from '../model.js';
import { edgeUrl } from '../registrar/edge-url.js';
import { createRegistry } from '../registry/create.js';
import type { Registry } from '../registry/registry.js';
import { createAdminRegistry } from './admin-snapshot.js';
import { type EndpointFollower, follow } from './follow.js';
import { awaitedRegistry } from './where.js';

export interface FollowedRegistry {
  readonly name: string;
  readonly advice: string;
  readonly registry: Registry;
}

/** The registry that the settings name: ZooKeeper itself, or the edge that holds the embedded one. */
export function sourceOf(config: Config, logger: Logger): FollowedRegistry {
  const { registry } = config;
  return {
    ...awaitedRegistry(config),
    registry: registry.kind === 'embedded' ? createAdminRegistry(edgeUrl(config)) : createRegistry(registry, logger),
  };
}

/**
 * One complete picture of the registered endpoints; undefined when `asked` aborts before.
 *
 * @throws Error when there is none by the deadline
 */
export async function readEndpoints(
  source: FollowedRegistry,
  deadlineMs: number,
  asked: AbortSignal,
): Promise<readonly Endpoint[] | undefined> {
  const enough = new AbortController();
  const late = AbortSignal.timeout(deadlineMs);
  let found: readonly Endpoint[] | undefined;
  const follower: EndpointFollower = {
    change() {},
    warn: (text) => void process.stderr.write(`weir: warning: ${text}\n`),
    status(state, endpoints) {
      if (state !== 'live' || found !== undefined) return;
      found = endpoints;
      enough.abort();
    },
  };
  await source.registry.run(follow(follower), AbortSignal.any([asked, late, enough.signal]));
  if (found === undefined && !asked.aborted) {
    throw new Error(`nothing heard from ${source.name} in ${deadlineMs / 1000} s; ${source.advice}`);
  }
  return found;
}

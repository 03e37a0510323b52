// The default policy as a module of plain functions, for simulators that load a policy by its path:
// `init`, `pick`, `onReport`, `onLeave`, `onStart`, `onDone`, each with the state that `init` returned. Times in seconds.

import { weirPolicy } from './adapter.js';
import type { EdgeOptions, EdgePolicy, Ending, View } from './contract.js';

/** An endpoint as such a simulator hands it over: one channel, so each is a server of its own. */
type Given = Omit<View, 'server'> & { server?: number };

const create = weirPolicy('adaptive');

function viewOf(endpoint: Given): View {
  endpoint.server ??= endpoint.id;
  return endpoint as View;
}

export function init(options: EdgeOptions): EdgePolicy {
  return create(options);
}

export function pick(endpoints: readonly Given[], edge: EdgePolicy, now: number): Given | undefined {
  for (const endpoint of endpoints) viewOf(endpoint);
  return endpoints[edge.pick(endpoints as readonly View[], now)];
}

export function onReport(edge: EdgePolicy, endpoint: Given, now: number): void {
  edge.onReport?.(viewOf(endpoint), now);
}

export function onLeave(edge: EdgePolicy, endpoint: Given, now: number): void {
  edge.onLeave?.(viewOf(endpoint), now);
}

export function onStart(edge: EdgePolicy, endpoint: Given, now: number): void {
  edge.onStart?.(viewOf(endpoint), now);
}

export function onDone(edge: EdgePolicy, endpoint: Given, now: number, ending: Ending): void {
  edge.onDone?.(viewOf(endpoint), now, ending);
}

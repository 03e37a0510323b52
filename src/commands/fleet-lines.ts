// Pure: edges and their changes as lines for people.

import type { EdgeJson } from '../fleet/read-edges.js';
import { type ChangeKind, columns, marks, safe } from './endpoint-lines.js';

const header = ['SITE', 'EDGE', 'STATUS', 'VIEWERS', 'SENDS', 'WORKERS', 'VERSION', 'CONFIG', 'PLAYERS'];

const text = (value: string | number | null) => (value === null ? '-' : safe(`${value}`));
const rate = (kbps: number | null) => (kbps === null ? '-' : `${kbps} kbit/s`);

function configWords({ config_revision: revision, config_error: error }: EdgeJson): string {
  return error === null ? text(revision) : `${text(revision)} (${safe(error.slice(0, 200))})`;
}

/** Names that more than one edge of a site has are shown with the run of each. */
function nameOf(edge: EdgeJson, edges: readonly EdgeJson[]): string {
  const alike = edges.filter(({ site, name }) => site === edge.site && name === edge.name);
  return safe(alike.length > 1 ? `${edge.name}~${edge.run}` : edge.name);
}

/** A table with a header. */
export function fleetTable(edges: readonly EdgeJson[]): string[] {
  const rows = edges.map((edge) => [
    safe(edge.site),
    nameOf(edge, edges),
    edge.status,
    text(edge.viewers),
    rate(edge.kbps),
    text(edge.workers),
    text(edge.version),
    configWords(edge),
    text(edge.players),
  ]);
  return columns([header, ...rows]);
}

/** An edge that came, went, or says something else. */
export interface FleetChange {
  readonly change: ChangeKind;
  readonly edge: EdgeJson;
}

const keyOf = ({ site, name, run }: EdgeJson) => `${site}/${name}~${run}`;

/** What differs between two pictures of a fleet. An edge that goes out of service is changed, not removed. */
export function fleetChanges(before: readonly EdgeJson[], after: readonly EdgeJson[]): FleetChange[] {
  const known = new Map(before.map((edge) => [keyOf(edge), edge]));
  const changes: FleetChange[] = [];
  for (const edge of after) {
    const old = known.get(keyOf(edge));
    known.delete(keyOf(edge));
    if (old === undefined) changes.push({ change: 'added', edge });
    else if (JSON.stringify(old) !== JSON.stringify(edge)) changes.push({ change: 'changed', edge });
  }
  return [...[...known.values()].map((edge) => ({ change: 'removed', edge }) as const), ...changes];
}

/** `~ eu edge-1:8080  serving  12 viewers  3400 kbit/s  config 17` */
export function fleetChangeLine({ change, edge }: FleetChange): string {
  const who = `${marks[change]} ${safe(edge.site)} ${safe(edge.name)}`;
  if (change === 'removed') return who;
  const words = [who, edge.status, `${text(edge.viewers)} viewers`, rate(edge.kbps), `config ${configWords(edge)}`];
  return words.join('  ');
}

// Pure: endpoints and their changes as lines for people, and as JSON lines for programs.

import { endpointJson } from '../endpoint-json.js';
import type { Endpoint } from '../model.js';
import { traitNames, traitRules } from '../traits.js';

export type ChangeKind = 'added' | 'changed' | 'removed';

/** Names come from outside: what would move a terminal's cursor is shown escaped. */
export const safe = (text: string) =>
  text.replaceAll(/\p{C}/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

const percent = (value: number | undefined) =>
  value === undefined ? '-' : `${(value * 100).toFixed(1).replace(/\.0$/, '')} %`;
const bitrate = (value: number | undefined) => (value === undefined ? '-' : `${value} kbit/s`);

function cells({ channel, address, load, packetLoss, bitrate: rate, id }: Endpoint): string[] {
  return [safe(channel), safe(address), percent(load), percent(packetLoss), bitrate(rate), safe(id)];
}

/** What it says beside its values: `draining  weight 0.1  zone north`. */
export function traitWords(endpoint: Partial<Endpoint>): string {
  const words = [
    endpoint.lastResort === true ? 'last resort' : undefined,
    endpoint.draining === true ? 'draining' : undefined,
    ...traitNames.map((name) => {
      const value = endpoint[name];
      // An object has no room in a line.
      return value === undefined || typeof value === 'object'
        ? undefined
        : `${traitRules[name].field} ${safe(`${value}`)}`;
    }),
  ];
  return words.filter((word) => word !== undefined).join('  ');
}

/** `load 20 %`, `loss -`, `1200 kbit/s` */
export function valueWords({ load, packetLoss, bitrate: rate }: Endpoint): string[] {
  return [`load ${percent(load)}`, `loss ${percent(packetLoss)}`, bitrate(rate)];
}

const header = ['CHANNEL', 'ADDRESS', 'LOAD', 'LOSS', 'BITRATE', 'ENDPOINT'];

/** A table with a header, sorted by channel and address. */
export function table(endpoints: readonly Endpoint[]): string[] {
  const compare = (a: Endpoint, b: Endpoint) =>
    a.channel.localeCompare(b.channel) || a.address.localeCompare(b.address);
  const sorted = [...endpoints].sort(compare);
  const said = sorted.map(traitWords);
  // A column of its own only where somebody says something.
  const anySays = said.some((words) => words !== '');
  const titles = anySays ? [...header, 'SAYS'] : header;
  const rows = [
    titles,
    ...sorted.map((endpoint, at) => (anySays ? [...cells(endpoint), said[at] ?? ''] : cells(endpoint))),
  ];
  return columns(rows);
}

/** Rows as lines, each column as wide as its longest text. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => rows.reduce((width, row) => Math.max(width, row[at]?.length ?? 0), 0));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export const marks: Record<ChangeKind, string> = { added: '+', changed: '~', removed: '-' };

/** `+ news  10.0.0.1:8080  load 20 %  loss 0 %  1200 kbit/s` */
export function changeLine(change: ChangeKind, endpoint: Endpoint): string {
  const [channel, address] = cells(endpoint);
  const values = change === 'removed' ? [] : [...valueWords(endpoint), traitWords(endpoint)];
  return [`${marks[change]} ${channel}`, address, ...values].join('  ').trimEnd();
}

/** As commands print it: with the API's names, its channel, and null for what is unknown. */
export function endpointAsJson(endpoint: Endpoint) {
  const { channel, load = null, bitrate: rate = null, packetLoss = null } = endpoint;
  // A reader should see that a value is unknown: the API leaves it out only to be short.
  return { channel, ...endpointJson(endpoint), load, bitrate: rate, packet_loss_rate: packetLoss };
}

/** One JSON object without a newline; `change` only where there is one. */
export function jsonLine(endpoint: Endpoint, change?: ChangeKind): string {
  return JSON.stringify({ ...(change === undefined ? {} : { change }), ...endpointAsJson(endpoint) });
}

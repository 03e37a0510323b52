// The lines that the demo prints while it runs.

import { type Explanation, readExplanation } from './explanation.js';

export interface NamedOrigin {
  readonly name: string;
  /** `host:port`, as it is registered. */
  readonly address: string;
}

const statusEveryMs = 1_000;
/** Without a change of the pick, a line is printed this often. */
const quietStatusMs = 10_000;

/** A line whenever the pick changes, and now and then. Resolves when the signal aborts. */
export async function printStatus(
  adminAddress: string,
  channel: string,
  origins: readonly NamedOrigin[],
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let last: { picked: string | undefined; at: number } | undefined;
  while (!signal.aborted) {
    const explained = await readExplanation(adminAddress, channel).catch(() => undefined);
    const names = new Map(origins.map(({ name, address }) => [address, name]));
    const picked = explained === undefined ? undefined : pickedOrigin(explained, names);
    const at = performance.now();
    if (last === undefined || last.picked !== picked || at - last.at >= quietStatusMs) {
      print(stamped(explained === undefined ? `${channel} has no endpoint` : statusLine(channel, explained, names)));
      last = { picked, at };
    }
    await pause(statusEveryMs, signal);
  }
}

/** With the time of day before it. */
export function stamped(line: string): string {
  return `${new Date().toLocaleTimeString('en-GB')} ${line}`;
}

/** Resolves after `ms`, at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** The origin that is picked now, by its name; undefined when there is none. */
export function pickedOrigin({ picked, endpoints }: Explanation, names: ReadonlyMap<string, string>) {
  const address = endpoints.find(({ id }) => id === picked)?.service_address;
  return address === undefined ? undefined : (names.get(address) ?? address);
}

/** One line: where requests go, and how the endpoints are doing, by name. */
export function statusLine(channel: string, explained: Explanation, names: ReadonlyMap<string, string>): string {
  const goes = pickedOrigin(explained, names) ?? 'nobody';
  const endpoints = explained.endpoints
    .map(({ service_address: address, load, packet_loss_rate: packetLoss, terms, eligible }) => {
      const values = `load ${percent(load, 0)}, loss ${percent(packetLoss, 1)}${eligible ? '' : ', not eligible'}`;
      return `${names.get(address) ?? address} ${terms.score.toFixed(2)} (${values})`;
    })
    .toSorted();
  return `${channel} goes to ${goes}: ${endpoints.join('  ')}`;
}

function percent(fraction: number | undefined, digits: number): string {
  return fraction === undefined ? 'unknown' : `${(fraction * 100).toFixed(digits)} %`;
}

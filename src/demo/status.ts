// The lines that the demo prints while it runs.

import { type ExplanationReply, readExplanation } from './explanation.js';

export interface NamedOrigin {
  readonly name: string;
  /** `host:port`, as it is registered. */
  readonly address: string;
  /** False while it does not run, or is not registered yet. */
  readonly registered?: boolean;
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
    // What was killed a moment ago is still registered; the demo knows better.
    const down = new Set(origins.filter(({ registered }) => registered === false).map(({ address }) => address));
    const picked = explained === undefined ? undefined : pickedOrigin(explained, names, down);
    const at = performance.now();
    if (last === undefined || last.picked !== picked || at - last.at >= quietStatusMs) {
      print(
        stamped(explained === undefined ? `${channel} has no endpoint` : statusLine(channel, explained, names, down)),
      );
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

const none: ReadonlySet<string> = new Set();

/**
 * The origin that a request goes to now, by its name; undefined when there is none. A dead one refuses the request, and
 * weir takes the lowest score of the others.
 * @param down addresses of origins that do not run
 */
export function pickedOrigin(
  { picked, endpoints }: ExplanationReply,
  names: ReadonlyMap<string, string>,
  down: ReadonlySet<string> = none,
): string | undefined {
  const first = endpoints.find(({ id }) => id === picked);
  const running = endpoints.filter((one) => one.eligible && !down.has(one.service_address));
  const next = running.toSorted((a, b) => a.terms.score - b.terms.score)[0];
  const address = (first !== undefined && down.has(first.service_address) ? next : first)?.service_address;
  return address === undefined ? undefined : (names.get(address) ?? address);
}

/** One line: where requests go and why, and how the endpoints are doing, by name. */
export function statusLine(
  channel: string,
  explained: ExplanationReply,
  names: ReadonlyMap<string, string>,
  down: ReadonlySet<string> = none,
): string {
  const goes = pickedOrigin(explained, names, down) ?? 'nobody';
  const isDown = explained.endpoints.some(({ id, service_address: at }) => id === explained.picked && down.has(at));
  const why = isDown ? 'the pick is down' : explained.why;
  const endpoints = explained.endpoints
    .map(({ service_address: address, load, packet_loss_rate: packetLoss, terms, eligible }) => {
      const values = `load ${percent(load, 0)}, loss ${percent(packetLoss, 1)}${eligible ? '' : ', not eligible'}${down.has(address) ? ', down' : ''}`;
      return `${names.get(address) ?? address} ${terms.score.toFixed(2)} (${values})`;
    })
    .toSorted();
  return `${channel} goes to ${goes}${why === undefined ? '' : ` (${why})`}: ${endpoints.join('  ')}`;
}

function percent(fraction: number | undefined, digits: number): string {
  return fraction === undefined ? 'unknown' : `${(fraction * 100).toFixed(digits)} %`;
}

// Pure: the values that others wrote into a node that is kept here, such as the status that `weir drain` sets. The last change
// of a value counts; the address and the measured values are always the origin's own.

import { maxDataBytes } from '../registry/formats/decode.js';
import { parseJsonObject, setMembers } from '../registry/formats/json-members.js';

const origins: ReadonlySet<string> = new Set(['service_address', 'load', 'bitrate', 'packet_loss_rate']);

type Members = Readonly<Record<string, unknown>>;

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** The members of `after` that `before` does not have like this. */
function changes(before: Members, after: Members): Map<string, unknown> {
  const changed = Object.keys(after).filter((key) => !Object.hasOwn(before, key) || !same(before[key], after[key]));
  return new Map(changed.map((key) => [key, after[key]]));
}

/** The values that others wrote into one node. */
export class OthersValues {
  readonly #values = new Map<string, unknown>();

  /**
   * Somebody else wrote `theirs` over what was written here last. Data that is too large or not a JSON object is ignored.
   *
   * @param last what was written here last; undefined: not known
   */
  adopt(last: string | undefined, theirs: string): void {
    const after = theirs.length > maxDataBytes ? undefined : parseJsonObject(theirs);
    if (after === undefined) return;
    for (const key of [...this.#values.keys()]) if (!Object.hasOwn(after, key)) this.#values.delete(key);
    const before = last === undefined ? undefined : parseJsonObject(last);
    for (const [key, value] of changes(before ?? after, after)) {
      if (!origins.has(key) && key !== '__proto__') this.#values.set(key, value);
    }
  }

  /** The origin changes its data from `before` to `next`: the values that differ are the origin's again. */
  supersede(before: string, next: string): void {
    const [was, is] = [parseJsonObject(before) ?? {}, parseJsonObject(next) ?? {}];
    for (const key of changes(was, is).keys()) this.#values.delete(key);
  }

  /** `own` with the values of others in it. */
  over(own: string): string {
    return this.#values.size === 0 ? own : (setMembers(own, Object.fromEntries(this.#values)) ?? own);
  }
}

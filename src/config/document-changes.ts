// Pure: which settings differ between two documents of the fleet's configuration, as they are written.

import { fromCentre } from './centre.js';
import { show } from './problem.js';

/** A setting that is written in one of two documents, or differently in both. Undefined: it is not written there. */
export interface DocumentChange {
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** By key. Settings that may not be written there are left out. */
export function documentChanges(before: string, after: string): DocumentChange[] {
  const valuesOf = (text: string) =>
    new Map(fromCentre({ name: '', text }).given.map(({ setting, value }) => [setting.key, value]));
  const [old, fresh] = [valuesOf(before), valuesOf(after)];
  return [...new Set([...old.keys(), ...fresh.keys()])]
    .sort()
    .map((key) => ({ key, before: old.get(key), after: fresh.get(key) }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

/** Two lines at most for each: what goes, what comes. */
export function changeLines(changes: readonly DocumentChange[]): string[] {
  const line = (mark: string, key: string, value: unknown) =>
    value === undefined ? [] : [`${mark} ${key}: ${show(value, false)}`];
  return changes.flatMap(({ key, before, after }) => [...line('-', key, before), ...line('+', key, after)]);
}

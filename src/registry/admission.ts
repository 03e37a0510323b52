// Pure: which names of a tree are followed, and how much of a path is shown.

/** Of a node's name. Some formats keep a whole registration in it; ZooKeeper allows a megabyte. */
const maxNameBytes = 2_048;
/** Of a path in a log line. */
const maxShownChars = 300;

/** Whether a name is too long to be followed. */
export function isTooLong(name: string): boolean {
  // No UTF-16 unit takes more than three bytes.
  return name.length * 3 > maxNameBytes && (name.length > maxNameBytes || Buffer.byteLength(name) > maxNameBytes);
}

/** The names that are known, and the lowest of the others up to `max`: of sequential nodes the oldest. */
export function choose(names: ReadonlySet<string>, known: ReadonlyMap<string, unknown>, max: number): Set<string> {
  const fresh: string[] = [];
  const chosen = new Set<string>();
  for (const name of names) {
    if (known.has(name)) chosen.add(name);
    else fresh.push(name);
  }
  const room = max - chosen.size;
  if (room <= 0) return chosen;
  if (fresh.length > room) fresh.sort();
  for (const name of fresh.slice(0, room)) chosen.add(name);
  return chosen;
}

/** The path as a log line shows it. */
export function shown(path: string): string {
  return path.length > maxShownChars ? `${path.slice(0, maxShownChars)}…` : path;
}

// Pure: which names of a tree get a place, and how much of one is shown.

/** Bytes of a node's name. Some formats keep all of a registration in it; ZooKeeper takes a megabyte. */
const longestName = 2_048;
/** Characters of a path that are worth a place in a log. */
const longestShown = 300;

/** Whether a name is longer, in bytes, than any that is followed. */
export function isTooLong(name: string): boolean {
  return name.length > longestName || Buffer.byteLength(name) > longestName;
}

/** Those of the names that are known, and the lowest of the others: of sequential nodes the oldest. */
export function choose(names: ReadonlySet<string>, known: ReadonlyMap<string, unknown>, most: number): Set<string> {
  const fresh: string[] = [];
  const chosen = new Set<string>();
  for (const name of names) {
    if (known.has(name)) chosen.add(name);
    else fresh.push(name);
  }
  const room = most - chosen.size;
  if (room <= 0) return chosen;
  if (fresh.length > room) fresh.sort();
  for (const name of fresh.slice(0, room)) chosen.add(name);
  return chosen;
}

/** For a log line. */
export function shown(path: string): string {
  return path.length > longestShown ? `${path.slice(0, longestShown)}…` : path;
}

// Pure: which names of a tree get a place, and how much of one is shown.

/** Bytes of a node's name. Some formats keep all of a registration in it; ZooKeeper takes a megabyte. */
const maxNameBytes = 2_048;
/** Characters of a path that are worth a place in a log. */
const maxShownChars = 300;

/** Whether a name is longer, in bytes, than any that is followed. */
export function isTooLong(name: string): boolean {
  return name.length > maxNameBytes || Buffer.byteLength(name) > maxNameBytes;
}

/** Those of the names that are known, and the lowest of the others: of sequential nodes the oldest. */
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

/** For a log line. */
export function shown(path: string): string {
  return path.length > maxShownChars ? `${path.slice(0, maxShownChars)}…` : path;
}

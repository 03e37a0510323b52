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

/** The names that are not known, as far as there is room beside those that are: the lowest, of sequential nodes the oldest. */
export function chooseNew(
  names: Pick<ReadonlySet<string>, 'size' | 'keys'>,
  known: ReadonlyMap<string, unknown>,
  max: number,
): readonly string[] {
  const fresh: string[] = [];
  for (const name of names.keys()) if (!known.has(name)) fresh.push(name);
  const room = Math.max(0, max - (names.size - fresh.length));
  return fresh.length <= room ? fresh : fresh.sort().slice(0, room);
}

/** The path as a log line shows it. */
export function shown(path: string): string {
  return path.length > maxShownChars ? `${path.slice(0, maxShownChars)}…` : path;
}

// Pure: the bytes that wait in memory for viewers who do not read, and which viewers have to leave when that is too much.
// Viewers share the bytes: each byte counts once, however many viewers hold it.

/** What one viewer's socket holds. */
export interface Backlog {
  /** Which stream of bytes it is from: those of one stream are shared. */
  readonly stream: object;
  /** The stretch of the stream that it holds, as positions in bytes. */
  readonly from: number;
  readonly to: number;
  /** What it was given to begin with, where it holds that too: shared with those who came at the same moment. */
  readonly entry: { readonly length: number } | undefined;
  /** Monotonic ms at which it last took something. */
  readonly takenAt: number;
}

/** Bytes that they hold together in memory, each counted once. */
export function distinctBytes(backlogs: readonly Backlog[]): number {
  let bytes = 0;
  for (const entry of new Set(backlogs.map(({ entry }) => entry))) bytes += entry?.length ?? 0;
  const byStream = new Map<object, Backlog[]>();
  for (const backlog of backlogs) {
    const shared = byStream.get(backlog.stream);
    if (shared === undefined) byStream.set(backlog.stream, [backlog]);
    else shared.push(backlog);
  }
  for (const shared of byStream.values()) bytes += covered(shared);
  return bytes;
}

/** Length of the union of their stretches. */
function covered(backlogs: Backlog[]): number {
  let bytes = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, to } of backlogs.sort((a, b) => a.from - b.from)) {
    bytes += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return bytes;
}

/** Those who took nothing for longest: as many as have to go until the others hold no more than `maxBytes`. */
export function tooMuch<T extends Backlog>(backlogs: readonly T[], maxBytes: number): T[] {
  const byPatience = backlogs.toSorted((a, b) => a.takenAt - b.takenAt);
  let leaving = 0;
  while (leaving < byPatience.length && distinctBytes(byPatience.slice(leaving)) > maxBytes) {
    leaving += Math.ceil((byPatience.length - leaving) / 16);
  }
  return byPatience.slice(0, leaving);
}

// Pure: the load of a server, from what is known of it.

export interface Usage {
  /** Fractions 0..1 of what the processor and the network can do; undefined is unknown. */
  readonly cpu?: number | undefined;
  readonly network?: number | undefined;
  readonly viewers?: number | undefined;
}

/** The largest part, which is exhausted first. Undefined when no part is known: unknown is not zero. */
export function loadOf({ cpu, network, viewers }: Usage): number | undefined {
  const known = [cpu, network, viewers].filter((part) => part !== undefined && Number.isFinite(part));
  if (known.length === 0) return undefined;
  return Math.round(Math.min(1, Math.max(0, ...(known as number[]))) * 1000) / 1000;
}

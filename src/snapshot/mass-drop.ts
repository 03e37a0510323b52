// Pure: is this many endpoints vanishing at once believable? A registry that loses most of its nodes within seconds
// while the connection is up has more likely lost their sessions (an overloaded ensemble, a partition on the origins'
// side) than all those origins have died. Synapse and Eureka guard against the same: stale beats empty.

export interface MassDropSettings {
  /** Share of all endpoints, 0..1, that has to be exceeded. */
  readonly share: number;
  /** Fewer vanished endpoints than this are never a mass drop. */
  readonly minimum: number;
}

/** @param vanished endpoints that vanished within the window; @param remaining endpoints that are still there */
export function isMassDrop(vanished: number, remaining: number, settings: MassDropSettings): boolean {
  return vanished >= settings.minimum && vanished > settings.share * (vanished + remaining);
}

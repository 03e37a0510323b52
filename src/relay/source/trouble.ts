// Pure: the sum of the failures of a relay's pulls. It says how long viewers are held, when failed endpoints are tried again,
// and when a pull has proven that the trouble is over. A pull that only replays old media proves nothing.

/** How long until those who failed are tried again, in ms; doubled each time. */
const minBackoffMs = 250;
const maxBackoffMs = 2_000;
/** A pull that delivered for so long, in ms, has proven itself, and whoever failed before it is forgiven. */
const longLifeMs = 10_000;
/** New pictures by which a pull proves itself sooner. */
const proofPictures = 5;

/** Made anew with each change. */
export interface Trouble {
  /** The time for which viewers are held; undefined: it does not run. */
  readonly grace: { /** Monotonic ms. */ readonly since: number; readonly isOver: boolean } | undefined;
  /** ms until the next try, when there is nobody left. */
  readonly backoffMs: number;
  /** Monotonic ms since which the current pull delivers; of no meaning before the first. */
  readonly liveSince: number;
  /** Pictures that it delivered and that viewers had not got before; not counted on beyond the proof. */
  readonly newPictures: number;
}

/** Nothing has failed yet. */
export const noTrouble: Trouble = { grace: undefined, backoffMs: minBackoffMs, liveSince: 0, newPictures: 0 };

/** Another pull delivers from now on (monotonic ms). It has proven nothing yet, so that the grace goes on to run. */
export function onTrial(trouble: Trouble, now: number): Trouble {
  return { ...trouble, liveSince: now, newPictures: 0 };
}

/** Whether one more new picture would prove anything. */
export function wantsPicture({ newPictures }: Trouble): boolean {
  return newPictures < proofPictures;
}

/** The current pull delivered for so long that those who failed before may be tried again. */
export function hasLivedLong({ liveSince }: Trouble, now: number): boolean {
  return now - liveSince >= longLifeMs;
}

/** The current pull delivers what is new. */
export function isProven(trouble: Trouble, now: number): boolean {
  return !wantsPicture(trouble) || hasLivedLong(trouble, now);
}

/** A picture came that viewers had not got before. */
export function withPicture(trouble: Trouble): Trouble {
  return { ...trouble, newPictures: trouble.newPictures + 1 };
}

/**
 * The trouble is over if the current pull is proven.
 *
 * @param keepsGrace the grace runs for another reason than failures
 */
export function settled(trouble: Trouble, now: number, keepsGrace = false): Trouble {
  if (!isProven(trouble, now)) return trouble;
  return { ...trouble, backoffMs: minBackoffMs, grace: keepsGrace ? trouble.grace : undefined };
}

/** The grace runs from now on (monotonic ms), unless it runs already or is over. */
export function withGrace(trouble: Trouble, now: number): Trouble {
  return { ...trouble, grace: trouble.grace ?? { since: now, isOver: false } };
}

/** The grace is over; nothing changes where it does not run. */
export function withGraceOver(trouble: Trouble): Trouble {
  return trouble.grace === undefined ? trouble : { ...trouble, grace: { ...trouble.grace, isOver: true } };
}

/** After a pause of `backoffMs`, for which nobody was tried: the next one is longer. */
export function afterPause(trouble: Trouble): Trouble {
  return { ...trouble, backoffMs: Math.min(trouble.backoffMs * 2, maxBackoffMs) };
}

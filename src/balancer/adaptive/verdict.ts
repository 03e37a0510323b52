// Whether our traffic was proven to move the loads: what the estimates are worth.
//
// Nobody says whether a report is an average since the last one or the load at its moment. Both are estimated, and the one
// that predicts reports clearly better counts; as long as neither does, both must agree.
//
// Proof asks for the gain to be above zero by more than its error, on both sides (`estimate.ts`). It asks for less where many
// edges with much traffic are known, and for more where one small edge would have to be the cause. Once proven, doubt counts
// against us (`../gain.ts`): too high a gain makes shares slow, too low a one makes them swing, and in a swing every edge
// explains the loads by the others. So a proof stands until loads are seen not to follow our shares, again and again.

import { Gain } from '../gain.js';
import { Estimate, type LoadChange } from './estimate.js';
import { rise } from './model.js';

/** How clear a proof must be where little traffic of ours is known: standard errors, and a gain that noise may look like. */
const unlikelyErrors = 2.2;
const unlikelyGain = 0.03;
/** The standard errors where our traffic is known to be much, and the part of the load that is half way to that. */
const likelyErrors = 0.5;
const likelyPart = 0.15;
/** How fast a proof becomes certain beyond. */
const pace = 6;
/** One estimate predicts clearly better than the other when its noise is below this part of the other's. */
const clearly = 0.8;
/** A report speaks against a proof when it was expected to change by this and did by less than this part. */
const clearChange = 0.3;
const noAnswer = 0.3;
/** How many such reports take most of a proof away, or reports while the gain is below this by three errors. */
const disproof = 150;
const innocentGain = 0.1;
/** A smaller expected change is none. */
const still = 1e-3;

/** How far our traffic is proven to move the loads. Without reports nothing is proven, and the suspicion is full. */
export class GainVerdict {
  readonly #byMean = new Estimate();
  readonly #byEnd = new Estimate();
  readonly #doubt = new Gain();
  #proof = 0;

  /**
   * A report.
   * @param byMean what is expected if it tells the average since the last one
   * @param byEnd what is expected if it tells the load at its moment
   * @param part of the load that our known traffic makes at a server of usual capacity (`assumedPart`)
   */
  observe(byMean: LoadChange, byEnd: LoadChange, part: number): void {
    this.#byMean.observe(byMean);
    this.#byEnd.observe(byEnd);
    const { expected, observed } = byMean;
    // A share that stood still leaves the doubt as it was.
    if (Math.abs(expected) > still) this.#doubt.observe(expected, observed);
    const unanswered = Math.abs(expected) > clearChange && observed / expected < noAnswer;
    if (unanswered || (Math.abs(expected) > still && this.#innocent())) this.#proof -= this.#proof / disproof;
    this.#proof = Math.max(this.#proof, this.#proofNow(rise(part, likelyPart)));
  }

  /** 0 to 1: the part of the load that our traffic has been proven to move, doubt counting against us. */
  get proven(): number {
    return this.#proof * Math.min(1, this.#doubt.upper);
  }

  /** 0 to 1: what is left of the suspicion that our traffic moves the loads. 1 without evidence. */
  get suspicion(): number {
    const { gain, error } = this.#best();
    return Math.min(1, 2 * Math.max(0, gain + 2 * error)) ** 2;
  }

  /** The gain as the better estimate has it, and its standard error. */
  get estimate(): { readonly gain: number; readonly error: number } {
    const { gain, error } = this.#best();
    return { gain, error };
  }

  #best(): Estimate {
    return this.#byEnd.noise < this.#byMean.noise ? this.#byEnd : this.#byMean;
  }

  #innocent(): boolean {
    const { gain, error } = this.#best();
    return gain + 3 * error < innocentGain;
  }

  #proofNow(likely: number): number {
    if (this.#byMean.noise < clearly * this.#byEnd.noise) return proofOf(this.#byMean, likely);
    if (this.#byEnd.noise < clearly * this.#byMean.noise) return proofOf(this.#byEnd, likely);
    return Math.min(proofOf(this.#byMean, likely), proofOf(this.#byEnd, likely));
  }
}

/** The likelier it is beforehand that our traffic is the cause, the less evidence is asked for. */
function proofOf({ lowerGain, error }: Estimate, likely: number): number {
  const errors = unlikelyErrors + (likelyErrors - unlikelyErrors) * likely;
  return Math.min(1, Math.max(0, pace * (lowerGain - errors * error - (1 - likely) * unlikelyGain)));
}

// By how much loads follow our shares: an estimate from the reports, with its uncertainty. A Kalman filter.
//
// Changes are compared with changes, never levels. What a report would have changed by if all load followed our shares, x,
// is regressed on what it did change by, y:
//
//     y = gain × x + φ × the change before + ψ × distance from the usual load + noise
//
// `gain` is the part of the load that follows us, with whoever moves as we do: 0 to 1. φ and ψ stand for what happens
// without us: trends go on, and what is unusually high or low comes back. Since we come when a load is low and leave when it
// is high, its coming back would look like our doing without these two terms.
//
// Two things make it robust against loads that drift by themselves:
//   - The noise is learned, and what it leaves open is told as `error`.
//   - Coming and leaving are also judged apart. Where we are the cause, a load rises when we come and falls when we leave.
//     A ramp, a wave or a burst of others does only one of the two at the time when it makes us move.
//
// What reports say of the gain is forgotten as new ones say something of it: reports during which our share hardly moved
// neither teach nor make forget.
//
// Sources: R. E. Kalman, A New Approach to Linear Filtering and Prediction Problems, 1960; for the forgetting R. Kulhavý,
// Restricted Exponential Forgetting in Real-Time Identification, 1987.

/** Reports with a change of ours that are remembered. */
const memory = 40;
/** A load may move by chance when our share does: how many times less one report is believed than many. */
const few = 5;
/** Variance, before any report, of the gain, of φ and of ψ, and what the latter two may change by from report to report. */
const gainDoubt = 1;
const trendDoubt = 0.01;
const returnDoubt = 0.03;
const wander = 1e-5;
/** Standard deviation of the noise before any report, and how many reports that counts as. */
const assumedNoise = 0.3;
const assumedReports = 10;
const minNoise = 0.01;
/** Reports over which the noise is averaged. */
const noiseMemory = 100;
/** An expected change below this, or below this part of the noise, says nothing of us. */
const clear = 0.1;
const clearOfNoise = 0.3;

/** What the time between two reports of one source taught. Loads and their changes, 0 to 1. */
export interface LoadChange {
  /** By what the load would have changed if all of it followed our share. */
  readonly expected: number;
  readonly observed: number;
  /** How it changed the time before. */
  readonly before: number;
  /** How far it was from its usual value before. */
  readonly distance: number;
}

/**
 * The estimate of the gain (0 to 1) from the changes of loads. One for each guess of what a report tells
 * (`verdict.ts`).
 */
export class Estimate {
  #gain = 0;
  #trend = 0;
  #return = 0;
  // Covariance of the three, in this order.
  #gg = gainDoubt;
  #gt = 0;
  #gr = 0;
  #tt = trendDoubt;
  #tr = 0;
  #rr = returnDoubt;
  #noise = assumedNoise ** 2;
  #reports = assumedReports;
  // Sums of the second and the fourth powers of what was expected.
  #squares = 0;
  #fourths = 0;
  readonly #came = new Side();
  readonly #left = new Side();

  observe({ expected, observed, before, distance }: LoadChange): void {
    const x = Math.abs(expected) < Math.min(clear, clearOfNoise * Math.sqrt(this.#noise)) ? 0 : expected;
    const surprise = observed - (this.#gain * x + this.#trend * before + this.#return * distance);
    // Covariance × regressors; divided by the variance of the prediction, the Kalman gain of each.
    const g = this.#gg * x + this.#gt * before + this.#gr * distance;
    const t = this.#gt * x + this.#tt * before + this.#tr * distance;
    const r = this.#gr * x + this.#tr * before + this.#rr * distance;
    const variance = g * x + t * before + r * distance + this.#noise;
    this.#gain += (g / variance) * surprise;
    // What returns by itself returns by no more than all of the way.
    this.#trend = Math.min(1, Math.max(-0.5, this.#trend + (t / variance) * surprise));
    this.#return = Math.min(0, Math.max(-1, this.#return + (r / variance) * surprise));
    if (x !== 0)
      (x > 0 ? this.#came : this.#left).observe(x, observed - this.#trend * before - this.#return * distance);
    const doubt = this.#gg;
    this.#gg -= (g * g) / variance;
    this.#gt -= (g * t) / variance;
    this.#gr -= (g * r) / variance;
    this.#tt -= (t * t) / variance - wander;
    this.#tr -= (t * r) / variance;
    this.#rr -= (r * r) / variance - wander;
    this.#squares += x * x;
    this.#fourths += x ** 4;
    this.#forget(1 - this.#gg / doubt);
    const unexplained = surprise * surprise * (this.#noise / variance);
    this.#reports = Math.min(noiseMemory, this.#reports + 1);
    this.#noise = Math.max(minNoise ** 2, this.#noise + (unexplained - this.#noise) / this.#reports);
  }

  /** The most likely gain. */
  get gain(): number {
    return this.#gain;
  }

  /** The gain, or what our coming or our leaving alone shows of it when that is less. */
  get lowerGain(): number {
    return Math.min(this.#gain, this.#came.slope, this.#left.slope);
  }

  /** Standard error of the gain, larger while it rests on few reports. */
  get error(): number {
    // As many as it would be if our share had moved by as much in each.
    const reports = this.#fourths > 0 ? (this.#squares * this.#squares) / this.#fourths : 0;
    return Math.sqrt(this.#gg) * (1 + few / Math.max(1, reports));
  }

  /** Variance of reports around what was expected of them. */
  get noise(): number {
    return this.#noise;
  }

  /** @param learned part of the doubt in the gain that the last report took away */
  #forget(learned: number): void {
    const keep = 1 - learned / memory;
    this.#squares *= keep;
    this.#fourths *= keep;
    const more = Math.min(gainDoubt / this.#gg, 1 + (1 + 1 / memory) * learned);
    if (!(more > 1)) return;
    this.#gg *= more;
    this.#gt *= Math.sqrt(more);
    this.#gr *= Math.sqrt(more);
  }
}

/** The slope through the origin of one side: only coming, or only leaving. */
class Side {
  /** As if a report without an answer had been seen. */
  #squares = 0.2;
  #products = 0;

  observe(expected: number, observed: number): void {
    this.#squares += expected * expected - this.#squares / memory;
    this.#products += expected * observed - this.#products / memory;
  }

  get slope(): number {
    return this.#products / this.#squares;
  }
}

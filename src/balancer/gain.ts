// Learns how far changes of our shares move the reports, by regression through the origin with exponential forgetting.

const forget = 0.97;
/** Below this the shares have not moved: there is no evidence, not a very steep slope. */
const moved = 1e-9;

/** The slope of observed over expected changes, with doubt added. Recent reports count most. */
export class Gain {
  #predicted = 0;
  #product = 0;
  #observed = 0;
  #samples = 0;

  /**
   * One report.
   * @param predicted by how much it would have moved if all load followed our shares at once
   * @param observed by how much it moved
   */
  observe(predicted: number, observed: number): void {
    this.#predicted = forget * this.#predicted + predicted * predicted;
    this.#product = forget * this.#product + predicted * observed;
    this.#observed = forget * this.#observed + observed * observed;
    this.#samples = forget * this.#samples + 1;
  }

  /**
   * The slope plus two standard errors: too high a gain makes the shares slow, too low a one makes them swing, so doubt
   * counts as gain. A negative slope is such a swing seen half a period late, not an answer: it counts as 0, and what it
   * leaves unexplained as doubt. 0 before our shares ever moved. Not bounded above.
   */
  get upper(): number {
    if (this.#predicted < moved) return 0;
    const slope = Math.max(0, this.#product / this.#predicted);
    const unexplained = Math.max(0, this.#observed - slope * this.#product) / this.#samples;
    return slope + 2 * Math.sqrt(unexplained / this.#predicted);
  }
}

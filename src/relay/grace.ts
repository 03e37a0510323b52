// How long viewers are held while no endpoint delivers. A pull that only replays what it has, and ends, delivers nothing:
// the time runs on until one has proven itself.

export class Grace {
  readonly #length: number;
  readonly #onOver: () => void;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  /** @param length ms */
  constructor(length: number, onOver: () => void) {
    this.#length = length;
    this.#onOver = onOver;
  }

  /** It is over, and nobody has proven itself since. */
  get over(): boolean {
    return this.#over;
  }

  /** From now on, unless it runs already. */
  start(): void {
    this.#timer ??= setTimeout(() => {
      this.#over = true;
      this.#onOver();
    }, this.#length);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#over = false;
  }
}

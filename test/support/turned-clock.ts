// A clock that stands still until the test turns it, in place of the process's timers.

interface Timer {
  readonly run: () => void;
  readonly every: number | undefined;
  due: number;
  unref(): Timer;
  ref(): Timer;
}

const names = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] as const;

/** Replaces the global timers until `restore`. Timers that are due at the same time run in the order they were set. */
export class TurnedClock {
  /** Monotonic ms. */
  now = 0;
  readonly #timers = new Set<Timer>();
  readonly #real = names.map((name) => [name, globalThis[name]] as const);

  constructor() {
    const cancel = (timer: Timer | undefined) => {
      if (timer !== undefined) this.#timers.delete(timer);
    };
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms = 0) => this.#set(run, ms, undefined),
      setInterval: (run: () => void, ms = 0) => this.#set(run, ms, ms),
      setImmediate: (run: () => void) => this.#set(run, 0, undefined),
      clearTimeout: cancel,
      clearInterval: cancel,
      clearImmediate: cancel,
    });
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  turn(ms: number): void {
    const end = this.now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.now = Math.max(this.now, next.due);
      if (next.every === undefined) this.#timers.delete(next);
      else next.due += Math.max(1, next.every);
      next.run();
    }
    this.now = end;
  }

  restore(): void {
    Object.assign(globalThis, Object.fromEntries(this.#real));
  }

  #set(run: () => void, ms: number, every: number | undefined): Timer {
    const timer: Timer = { run, every, due: this.now + ms, unref: () => timer, ref: () => timer };
    this.#timers.add(timer);
    return timer;
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    return first;
  }
}

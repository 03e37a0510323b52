// Logs why ZooKeeper cannot be reached. It runs in another process than the native client, which closes sockets without
// telling Node: another socket of its process may then lose its events.

import { parseConnectString } from '../net-address.js';
import type { RegistryLogger } from './logger.js';
import { addressesOf, resolveServers, whyUnreachable } from './servers.js';

/** A server that gives no session within this time is logged, long before the watchdog gives up. */
const patienceMs = 1_000;
const resolveDeadlineMs = 3_000;
/** For a server to accept a connection. */
const tryDeadlineMs = 1_000;

/** Logs why no server can be reached: when a client gets no session, and whenever its session is lost. */
export class OutageLog {
  #timer: NodeJS.Timeout | undefined;
  /** Grows whenever a pending explanation becomes pointless. */
  #turn = 0;
  #asking = false;
  readonly #servers: string;
  readonly #logger: RegistryLogger;
  readonly #told: (why: string) => void;

  /**
   * @param servers the connect string
   * @param told called with what is logged
   */
  constructor(servers: string, logger: RegistryLogger, told: (why: string) => void = () => {}) {
    this.#servers = servers;
    this.#logger = logger;
    this.#told = told;
  }

  /** A client starts. */
  started(): void {
    this.stopped();
    this.#timer = setTimeout(() => this.#explain(), patienceMs);
  }

  /** @param state as in a note of the session */
  session(state: string): void {
    if (state === 'connected') this.stopped();
    else if (state === 'connecting' || state === 'watchdog') this.#explain();
  }

  /** The client is gone, or connected. */
  stopped(): void {
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  /** Whether an explanation is being looked for. */
  get asking(): boolean {
    return this.#asking;
  }

  #explain(): void {
    if (this.#asking) return;
    this.#asking = true;
    const turn = this.#turn;
    this.#why()
      .then((why) => {
        if (turn !== this.#turn) return;
        this.#logger.warn({ why }, 'ZooKeeper is out of reach');
        this.#told(why);
      })
      .catch(() => undefined)
      .finally(() => {
        this.#asking = false;
      });
  }

  async #why(): Promise<string> {
    const target = parseConnectString(this.#servers);
    if (target === undefined) return 'the servers are malformed';
    const { servers, problems } = await resolveServers(target, addressesOf, resolveDeadlineMs);
    const reasons = servers.length === 0 ? '' : await whyUnreachable(servers, tryDeadlineMs);
    return [...problems, reasons].filter((reason) => reason !== '').join(', ');
  }
}

// Which workers serve, and so which of them owns each channel. All workers hear it whenever it changes, and with it the HLS
// sessions of the channels that they now own.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionState } from '../data-plane/contract.js';
import type { ChannelName } from '../model.js';
import { type Member, ownerOf } from '../sharding/owner.js';
import type { SessionLedger } from './session-ledger.js';
import type { WorkerProcess } from './worker-process.js';
import type { Workers } from './workers.js';

type Worker = Pick<WorkerProcess, 'id' | 'slot' | 'send'>;

/** The members of the edge. Sole owner of the list that all workers were last sent. */
export class Membership<W extends Worker = WorkerProcess> {
  readonly #workers: Workers<W>;
  readonly #sessions: Pick<SessionLedger, 'of'>;
  readonly #socketFolder: string;
  /** As last sent to all. */
  #published: readonly Member[] = [];

  /** @param socketFolder where the workers' Unix sockets are made */
  constructor(workers: Workers<W>, sessions: Pick<SessionLedger, 'of'>, socketFolder: string) {
    this.#workers = workers;
    this.#sessions = sessions;
    this.#socketFolder = socketFolder;
  }

  /** The worker that owns the channel; undefined while none serves. */
  ownerOf(channel: ChannelName): W | undefined {
    const owner = ownerOf(channel, this.#members());
    return this.#workers.serving().find(({ slot }) => slot === owner?.slot);
  }

  /** What a worker that starts needs to know: the members as they will be when it serves, and its sessions. */
  forNewcomer(worker: W): { self: Member; members: Member[]; sessions: SessionState[] } {
    const self = this.#memberOf(worker);
    const members = [...this.#members().filter(({ slot }) => slot !== self.slot), self];
    return { self, members, sessions: this.#sessions.of(gained(self, [], members)) };
  }

  /** Sends all workers the members of now. */
  publish(): void {
    const before = this.#published;
    const members = this.#members();
    this.#published = members;
    for (const worker of this.#workers.all()) this.#send(worker, before, members);
  }

  /** Sends one worker everything that it may have missed. */
  resend(worker: W): void {
    this.#send(worker, [], this.#members());
  }

  /** Removes what a worker that is gone left behind. */
  async bury(worker: W): Promise<void> {
    await rm(this.#memberOf(worker).socket, { force: true });
  }

  #members(): Member[] {
    return this.#workers.serving().map((worker) => this.#memberOf(worker));
  }

  #memberOf({ id, slot }: W): Member {
    return { slot, name: `worker-${id}`, socket: join(this.#socketFolder, `${id}.sock`) };
  }

  #send(worker: W, before: readonly Member[], members: readonly Member[]): void {
    const sessions = this.#sessions.of(gained(this.#memberOf(worker), before, members));
    // First: from the new members on the channels are this worker's.
    if (sessions.length > 0) worker.send({ kind: 'adopt', sessions });
    worker.send({ kind: 'members', members });
  }
}

/** Whether a channel is this member's now, and was not before. */
function gained({ name }: Member, before: readonly Member[], members: readonly Member[]): (channel: string) => boolean {
  return (channel) => ownerOf(channel, members)?.name === name && ownerOf(channel, before)?.name !== name;
}

// What a worker runs with, how it ends, and its process as far as it is needed.

import type { ChildProcess, SendHandle } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import type { DataPlaneConfig } from '../data-plane/contract.js';
import { OperatorError } from '../errors.js';
import type { WorkerExitCause } from '../metrics.js';
import type { ListeningSocket } from './listening-socket.js';
import type { SupervisorMessage } from './messages.js';

export type WorkerState = 'starting' | 'serving' | 'draining' | 'gone';

export type Start = Extract<SupervisorMessage, { kind: 'start' }>;

/** What a worker runs with: all of it changes together. */
export interface Deployment {
  readonly config: DataPlaneConfig;
  /** That it accepts players from. */
  readonly socket: ListeningSocket;
  /** That it lets other edges in from, where it does. */
  readonly edgeSocket?: ListeningSocket | undefined;
}

/** Why a worker is made to end. */
export type EndCause = Exclude<WorkerExitCause, 'failed' | 'spawn' | 'crash'>;

/** A child process, as far as it is needed. */
export interface Child extends Pick<ChildProcess, 'pid' | 'connected'>, EventEmitter {
  send(message: SupervisorMessage, handle: SendHandle | undefined, options: undefined, taken: () => void): boolean;
  kill(signal: 'SIGKILL'): boolean;
}

/** The process could not begin to serve: a listener that cannot be opened, for one. Carries the code of the system. */
export class WorkerStartError extends OperatorError {
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

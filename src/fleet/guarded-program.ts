// A program that runs for as long as something is held, such as a lock, with a guard in a process of its own.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { OperatorError } from '../errors.js';
import { type GuardReply, type GuardRequest, type Leave, machineNow, type PassedSignal } from './guard-messages.js';

const entry = fileURLToPath(new URL('./guard-entry.js', import.meta.url));

export interface Held {
  /** Aborts when it is lost. */
  readonly lost: AbortSignal;
  isHeld(): boolean;
  /** For how many ms it is certainly held without another answer of a server. */
  heldForMs(): number;
  /** Of the session: nobody else has it for so long after the last answer. */
  readonly timeoutMs: number;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A part of the session timeout from SIGTERM, when 2/3 of it have passed, to SIGKILL. */
const killShare = 1 / 6;
/** A part of the session timeout between two messages that extend the leave. */
const extendShare = 1 / 12;

/**
 * Runs programs, one after the other. Make it before the native ZooKeeper client is loaded: processes that are started later
 * would inherit its sockets.
 */
export class ProgramGuard {
  readonly #guard: ChildProcess;
  #reply: (reply: GuardReply) => void = () => {};
  #gone: (() => void) | undefined;
  #isGone = false;

  constructor() {
    this.#guard = fork(entry, [], { detached: true, execArgv: [], stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    this.#guard.on('message', (reply) => this.#reply(reply as GuardReply));
    const gone = () => {
      this.#isGone = true;
      this.#gone?.();
    };
    this.#guard.on('error', gone);
    this.#guard.on('disconnect', gone);
  }

  /**
   * Runs a program while `held` is. When that is lost, it is sent SIGTERM and then SIGKILL, with its whole process group: by the
   * guard where this process stands still or ends, and here where the guard does.
   *
   * @throws OperatorError with exit code 127 or 126 where it does not start
   */
  async run(
    [command = '', ...parameters]: readonly string[],
    variables: Readonly<Record<string, string>>,
    held: Held,
  ): Promise<ProgramEnd> {
    let pid: number | undefined;
    const kill = () => {
      if (pid === undefined) return;
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // Nothing is left of it.
      }
    };
    const extend = () => {
      if (held.isHeld()) this.#send({ kind: 'extend', leave: leaveOf(held) });
    };
    let backstop: NodeJS.Timeout | undefined;
    const onLost = () => {
      const killMs = held.timeoutMs * killShare;
      this.#send({ kind: 'stop', killAt: machineNow() + killMs });
      backstop = setTimeout(kill, killMs);
    };
    const timer = setInterval(extend, held.timeoutMs * extendShare);
    try {
      return await new Promise<ProgramEnd>((resolve, reject) => {
        this.#reply = (reply) => {
          if (reply.kind === 'started') pid = reply.pid;
          else if (reply.kind === 'ended') resolve({ code: reply.code, signal: reply.signal });
          else reject(new NotStarted(command, reply.message, reply.code));
        };
        this.#gone = () => {
          kill();
          reject(new OperatorError('the guard of the command ended: the command was killed'));
        };
        if (this.#isGone) return this.#gone();
        this.#send({ kind: 'run', command, parameters, variables, leave: leaveOf(held) });
        held.lost.addEventListener('abort', onLost, { once: true });
        if (held.lost.aborted) onLost();
      });
    } finally {
      clearInterval(timer);
      clearTimeout(backstop);
      held.lost.removeEventListener('abort', onLost);
      this.#reply = () => {};
      this.#gone = undefined;
    }
  }

  /** Passes a signal on to the program that runs. */
  signal(signal: PassedSignal): void {
    this.#send({ kind: 'signal', signal });
  }

  /** Ends the guard's process, and a program that still runs. */
  close(): void {
    if (this.#guard.connected) this.#guard.disconnect();
  }

  #send(request: GuardRequest): void {
    if (this.#guard.connected) this.#guard.send(request, () => {});
  }
}

/** From now on: what is certain without another answer, and the time to end. */
function leaveOf(held: Held): Leave {
  const until = machineNow() + held.heldForMs();
  return { until, killAt: until + held.timeoutMs * killShare };
}

class NotStarted extends OperatorError {
  override readonly exitCode: number;

  constructor(command: string, message: string, code: string | undefined) {
    const isMissing = code === 'ENOENT';
    super(isMissing ? `${command}: no such command` : message);
    this.exitCode = isMissing ? 127 : 126;
  }
}

// The questions to one worker that are not answered yet.

import { type ErrorCode, WeirError } from '../errors.js';
import type { Answers, Question, WorkerMessage } from './messages.js';

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** Questions under way to one worker, each with a deadline. */
export class Questions {
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  /**
   * @param deadline ms
   * @param send whether the question was sent; false when the worker is behind with what it was told before
   * @throws WeirError internal after the deadline, when the worker ends, or when it is not sent; else the worker's own
   */
  ask<Q extends Question>(
    question: Q,
    deadlineMs: number,
    send: (message: { readonly kind: 'ask'; readonly id: number; readonly question: Q }) => boolean,
  ): Promise<Answers[Q['about']]> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      if (!send({ kind: 'ask', id, question })) {
        return reject(new WeirError('internal', { detail: 'The worker does not keep up.' }));
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new WeirError('internal', { detail: 'The worker did not answer in time.' }));
      }, deadlineMs);
      this.#waiting.set(id, { resolve: (answer) => resolve(answer as Answers[Q['about']]), reject, timer });
    });
  }

  /** What comes too late is ignored. */
  answered(message: Extract<WorkerMessage, { kind: 'answer' | 'refusal' }>): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    this.#waiting.delete(message.id);
    clearTimeout(waiting.timer);
    if (message.kind === 'answer') waiting.resolve(message.answer);
    else waiting.reject(new WeirError(message.code satisfies ErrorCode, { detail: message.message }));
  }

  /** The worker has ended. */
  end(): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new WeirError('internal', { detail: 'The worker ended.' }));
    }
    this.#waiting.clear();
  }
}

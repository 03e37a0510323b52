// Asks a media server's API, with a deadline and a bound on the answer.

import { Pool } from 'undici';
import { BadAnswer } from './stream.js';

export interface Question {
  /** Path and query, below the API's URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON with POST. */
  readonly json?: object;
}

export interface Reply {
  readonly status: number;
  readonly text: string;
}

export type Ask = (question: Question) => Promise<Reply>;

/** Bytes; a thousand streams with their viewers' connections stay below it. */
export const largestAnswer = 16 * 1024 * 1024;

/** Nobody answers there at all. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** The API of one media server. Each request has a deadline, each answer a bound in bytes. */
export class Api {
  readonly #pool: Pool;
  readonly #base: string;
  readonly #largest: number;

  /** @param url of the API; its path is put before every question's */
  constructor(url: string, largest = largestAnswer) {
    const { origin, pathname } = new URL(url);
    this.#base = pathname.replace(/\/$/, '');
    this.#largest = largest;
    // Two at a time: one answer that hangs is given up with its connection.
    this.#pool = new Pool(origin, { connections: 2, pipelining: 1, maxResponseSize: largest });
  }

  /**
   * @throws Refused where the connection is refused, Error for every other failure to answer in time or in bounds. The status
   * may be any.
   */
  async ask({ path, headers = {}, json }: Question, signal: AbortSignal): Promise<Reply> {
    try {
      const { statusCode, body } = await this.#pool.request({
        method: json === undefined ? 'GET' : 'POST',
        path: this.#base + path || '/',
        headers: json === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        body: json === undefined ? null : JSON.stringify(json),
        signal,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > this.#largest) throw new BadAnswer(`the answer is larger than ${this.#largest} bytes`);
        chunks.push(chunk);
      }
      return { status: statusCode, text: Buffer.concat(chunks).toString('utf8') };
    } catch (error) {
      if (isRefused(error)) throw new Refused('nobody listens there', { cause: error });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** Several addresses of one name are tried together. */
function isRefused(error: unknown): boolean {
  const { code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] };
  return code === 'ECONNREFUSED' || (errors?.every((each) => each.code === 'ECONNREFUSED') ?? false);
}

/** The text of an answer that is a 200. @throws BadAnswer for any other one */
export function accepted({ status, text }: Reply): string {
  if (status === 200) return text;
  const advice = status === 401 || status === 403 ? ' (see --api-user and --api-secret-file)' : '';
  throw new BadAnswer(`the API answered ${status}${advice}`);
}

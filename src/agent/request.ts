// Requests to a media server's API, with a deadline and a bound on the answer.

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

/** A thousand streams with their viewers' connections stay below it. */
export const maxAnswerBytes = 16 * 1024 * 1024;

/** The connection is refused: nobody listens there. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** The API of one media server. Each request has a deadline, each answer a bound in bytes. */
export class Api {
  readonly #pool: Pool;
  readonly #base: string;
  readonly #maxBytes: number;

  /** @param url of the API; its path is put before the path of every question */
  constructor(url: string, maxBytes = maxAnswerBytes) {
    const { origin, pathname } = new URL(url);
    this.#base = pathname.replace(/\/$/, '');
    this.#maxBytes = maxBytes;
    // Two connections: an answer that hangs is given up together with its connection.
    this.#pool = new Pool(origin, { connections: 2, pipelining: 1, maxResponseSize: maxBytes });
  }

  /**
   * Resolves with any status.
   *
   * @throws Refused where the connection is refused; Error when no answer arrives in time or within the bound
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
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > this.#maxBytes) throw new BadAnswer(`the answer is larger than ${this.#maxBytes} bytes`);
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

/** A name with several addresses is refused when all of them refuse. */
function isRefused(error: unknown): boolean {
  const { code, errors } = error as NodeJS.ErrnoException & { readonly errors?: readonly NodeJS.ErrnoException[] };
  return code === 'ECONNREFUSED' || (errors?.every((each) => each.code === 'ECONNREFUSED') ?? false);
}

/** The text of a 200 answer. @throws BadAnswer for any other status */
export function accepted({ status, text }: Reply): string {
  if (status === 200) return text;
  const advice = status === 401 || status === 403 ? ' (see --api-user and --api-secret-file)' : '';
  throw new BadAnswer(`the API answered ${status}${advice}`);
}

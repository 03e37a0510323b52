// Sends one cached object to one player, also while it still arrives. HEAD, a copy that still holds, and a range of a known
// size are answered as soon as the header is here.

import type { ServerResponse } from 'node:http';
import { WeirError } from '../errors.js';
import { type Answer, answerOf, type CachedObject, type Follower } from '../hls/index.js';
import { answerError, type PlayerExchange } from './exchange.js';
import { commonFields, type Fields } from './fields.js';

/** Header fields of an origin that mean the object, not the connection, the client or the moment. */
const objectFields = [
  'content-type',
  'content-encoding',
  'content-language',
  'cache-control',
  'expires',
  'etag',
  'last-modified',
  'content-range',
];

/** Tells another worker that a playlist lists the object, so that it does not change. */
export const listedField = 'x-weir-listed';

export interface ReplyOptions {
  /** The player's Range selects from the object; false when the object is a range itself. */
  readonly selects: boolean;
  /** It was here, or on its way for somebody else. */
  readonly reused: boolean;
  /** The object turned out to be too large to keep, and a range of it is wanted: to be asked for as such. */
  readonly passRange: () => void;
  /** It was refused to whoever asked for it first; this player may ask for itself. */
  readonly askAgain?: (() => void) | undefined;
  /** Called once at the end, with the bytes that went to the player. */
  readonly done: (object: CachedObject, sent: number) => void;
}

/** The answer to one player from one cached object. Ends with the object, the player, or an error. */
export class ObjectReply implements Follower {
  readonly #object: CachedObject;
  readonly #exchange: PlayerExchange;
  readonly #response: ServerResponse;
  readonly #options: ReplyOptions;
  /** undefined: the header has not been sent. */
  #answer: Answer | undefined;
  /** Chunks taken, and the bytes in them. */
  #chunks = 0;
  #position = 0;
  #sent = 0;
  #over = false;
  #left = false;
  #blocked = false;

  constructor(object: CachedObject, exchange: PlayerExchange, response: ServerResponse, options: ReplyOptions) {
    this.#object = object;
    this.#exchange = exchange;
    this.#response = response;
    this.#options = options;
  }

  /** Whoever has its answer takes everything. */
  get taken(): number {
    return this.#over ? this.#object.arrived : this.#chunks;
  }

  start(): void {
    if (this.#object.body !== undefined) return this.#whole(this.#object.body);
    this.#object.follow(this);
    this.#response.on('drain', () => {
      this.#blocked = false;
      this.progress();
    });
    this.#response.on('close', () => {
      if (!this.#over) this.#leave();
    });
    this.progress();
  }

  progress(): void {
    if (this.#over) return this.#stay();
    const { head, error, body } = this.#object;
    if (error !== undefined) return this.#fail(error);
    if (head === undefined) return;
    // A stored copy that still holds has a body and no chunks.
    if (this.#answer === undefined && body !== undefined) return this.#whole(body);
    const begun = this.#answer !== undefined;
    const answer = this.#answer ?? this.#begin(lengthOf(head.headers['content-length']));
    if (answer === undefined) return;
    this.#pump(answer);
    // The bytes of its range may take a while: the header does not wait for them.
    if (!begun && this.#sent === 0 && !this.#over) this.#response.flushHeaders();
  }

  /** undefined: there is nothing to begin with yet, or somebody else does. @param size bytes of the whole, where it is known */
  #begin(size: number | undefined): Answer | undefined {
    const { head, keeps } = this.#object;
    if (head === undefined) return undefined;
    const answer = answerOf(this.#exchange.request, head, size, this.#options.selects);
    // What is not kept is not read up to the range either.
    const selected = answer === undefined || (answer.status === 206 && answer.range !== undefined);
    if (!keeps && selected) {
      this.#leave();
      this.#options.passRange();
      return undefined;
    }
    if (answer === undefined) return undefined;
    this.#answer = answer;
    this.#exchange.started(answer.status);
    this.#response.writeHead(answer.status, this.#fields(answer));
    return answer;
  }

  #pump(answer: Answer): void {
    const object = this.#object;
    if (this.#exchange.request.method === 'HEAD' || answer.start >= answer.end) return this.#end();
    while (!this.#blocked && this.#chunks < object.arrived) {
      const chunk = object.chunk(this.#chunks);
      this.#chunks += 1;
      if (chunk === undefined)
        return this.#fail(new WeirError('internal', { detail: 'A chunk was let go too early.' }));
      const from = answer.start - this.#position;
      const to = answer.end - this.#position;
      this.#position += chunk.length;
      if (from < chunk.length) {
        const whole = from <= 0 && to >= chunk.length;
        this.#blocked = !this.#response.write(this.#count(whole ? chunk : chunk.subarray(Math.max(0, from), to)));
      }
      object.took();
      if (this.#over) return;
      if (to <= chunk.length) return this.#end();
    }
    if (object.complete && this.#chunks === object.arrived) this.#end();
  }

  /** It is here: one write. */
  #whole(body: Buffer): void {
    const answer = this.#begin(body.length);
    if (answer === undefined) return;
    const bytes = this.#exchange.request.method === 'HEAD' ? undefined : body.subarray(answer.start, answer.end);
    if (bytes === undefined || bytes.length === 0) this.#response.end();
    else this.#response.end(this.#count(bytes));
    this.#leave();
  }

  #count(bytes: Buffer): Buffer {
    this.#sent += bytes.length;
    this.#exchange.sent(bytes.length);
    return bytes;
  }

  #fields(answer: Answer): Fields {
    const { head, keeps, ageSeconds: age, room } = this.#object;
    const { selects, reused } = this.#options;
    const fields = commonFields(this.#exchange);
    for (const name of objectFields) {
      const value = head?.headers[name];
      if (value !== undefined) fields.push(name, value);
    }
    // An answer that is new from the origin has none (RFC 9111, section 5.1).
    if (reused || head?.headers.age !== undefined) fields.push('age', String(age));
    if (room === 'listed' && this.#exchange.edge.audience === 'peers') fields.push(listedField, '1');
    if (answer.lengthBytes !== undefined) fields.push('content-length', String(answer.lengthBytes));
    if (answer.range !== undefined) fields.push('content-range', answer.range);
    if (selects && keeps) fields.push('accept-ranges', 'bytes');
    return fields;
  }

  #end(): void {
    this.#response.end();
    this.#over = true;
    this.#stay();
  }

  /** A kept object arrives to its end, though this player has what it asked for: a next request will want the rest. */
  #stay(): void {
    if (!this.#object.pending || !this.#object.keeps) this.#leave();
  }

  drop(): void {
    this.#fail(new WeirError('client_gone', { detail: 'Others could not wait.' }));
  }

  #fail(error: WeirError): void {
    const { askAgain } = this.#options;
    const again = error.code === 'forbidden' && this.#answer === undefined ? askAgain : undefined;
    this.#leave();
    if (again !== undefined) return again();
    answerError(this.#exchange, this.#response, error);
  }

  #leave(): void {
    if (this.#left) return;
    this.#over = true;
    this.#left = true;
    this.#object.leave(this);
    this.#options.done(this.#object, this.#sent);
  }
}

function lengthOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

// Sends one cached object to one player, also while it still arrives.

import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { WeirError } from '../errors.js';
import type { CachedObject, Follower } from '../hls/cached-object.js';
import { select } from '../hls/respond.js';
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

export interface ReplyOptions {
  /** The player's Range selects from the object; false when the object is a range itself. */
  readonly selects: boolean;
  /** The object turned out to be too large to keep, and a range of it is wanted: to be asked for as such. */
  readonly passRange: () => void;
  /** Called once at the end. */
  readonly done: (object: CachedObject) => void;
}

export class ObjectReply implements Follower {
  taken = 0;
  readonly #object: CachedObject;
  readonly #exchange: PlayerExchange;
  readonly #response: ServerResponse;
  readonly #options: ReplyOptions;
  #started = false;
  #over = false;
  #blocked = false;

  constructor(object: CachedObject, exchange: PlayerExchange, response: ServerResponse, options: ReplyOptions) {
    this.#object = object;
    this.#exchange = exchange;
    this.#response = response;
    this.#options = options;
  }

  start(): void {
    if (this.#object.body !== undefined) return this.#whole(this.#object.body);
    this.#object.follow(this);
    this.#response.on('drain', () => {
      this.#blocked = false;
      this.progress();
    });
    this.#response.on('close', () => this.#finish());
    this.progress();
  }

  progress(): void {
    if (this.#over) return;
    const object = this.#object;
    const { head, error } = object;
    if (error !== undefined) return this.#fail(error);
    if (head === undefined) return;
    // A stored copy that still holds has a body and no chunks.
    if (!this.#started && object.body !== undefined) {
      this.#finish();
      this.#whole(object.body);
      return;
    }
    // Ranges and validators are answered from the whole.
    if (!this.#started && this.#waitsForWhole()) {
      if (!object.keeps && this.#wantsRange) {
        this.#finish();
        this.#options.passRange();
      }
      if (object.keeps || this.#over) return;
    }
    if (!this.#started) this.#begin(head.status, this.#fields(head.headers['content-length']));
    this.#pump();
  }

  get #wantsRange(): boolean {
    return this.#options.selects && this.#exchange.request.headers.range !== undefined;
  }

  #waitsForWhole(): boolean {
    const { method, headers } = this.#exchange.request;
    return (
      method === 'HEAD' ||
      this.#wantsRange ||
      headers['if-none-match'] !== undefined ||
      headers['if-modified-since'] !== undefined
    );
  }

  #pump(): void {
    const object = this.#object;
    while (!this.#blocked && this.taken < object.arrived) {
      const chunk = object.chunk(this.taken);
      this.taken += 1;
      if (chunk === undefined)
        return this.#fail(new WeirError('internal', { detail: 'A chunk was let go too early.' }));
      this.#exchange.sent(chunk.length);
      this.#blocked = !this.#response.write(chunk);
      object.took();
      if (this.#over) return;
    }
    if (object.complete && this.taken === object.arrived) {
      this.#finish();
      this.#response.end();
    }
  }

  /** It is here: one write. */
  #whole(body: Buffer): void {
    const { request } = this.#exchange;
    const { headers, status } = this.#object.head ?? { headers: {}, status: 200 };
    const selection = status === 200 && this.#options.selects ? select(request, headers, body.length) : { status };
    let sent: Buffer | undefined = body;
    let length: string | undefined;
    let range: string | undefined;
    if (selection.status === 304) sent = undefined;
    else if (selection.status === 416) {
      sent = undefined;
      range = `bytes */${body.length}`;
      length = '0';
    } else if ('start' in selection) {
      sent = body.subarray(selection.start, selection.end + 1);
      range = `bytes ${selection.start}-${selection.end}/${body.length}`;
    }
    if (sent !== undefined) length = String(sent.length);
    const fields = this.#fields(length);
    if (range !== undefined) fields.push('content-range', range);
    this.#begin(selection.status, fields);
    if (request.method === 'HEAD' || sent === undefined) this.#response.end();
    else {
      this.#exchange.sent(sent.length);
      this.#response.end(sent);
    }
    this.#options.done(this.#object);
  }

  #begin(status: number, fields: Fields): void {
    this.#started = true;
    this.#exchange.started(status);
    this.#response.writeHead(status, fields);
  }

  #fields(length: string | undefined): Fields {
    const headers: IncomingHttpHeaders = this.#object.head?.headers ?? {};
    const fields = commonFields(this.#exchange);
    for (const name of objectFields) {
      const value = headers[name];
      if (value !== undefined) fields.push(name, value);
    }
    if (length !== undefined) fields.push('content-length', length);
    if (this.#options.selects && this.#object.keeps) fields.push('accept-ranges', 'bytes');
    return fields;
  }

  #fail(error: WeirError): void {
    this.#finish();
    answerError(this.#exchange, this.#response, error);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#object.leave(this);
    if (this.#object.body === undefined || this.#started) this.#options.done(this.#object);
  }
}

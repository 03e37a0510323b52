// Node-Media-Server 4: GET /api/v1/streams with a JWT, and notify.url.
// https://github.com/illuspas/Node-Media-Server

import { type Ask, accepted } from '../request.js';
import type { Credentials, MediaServer, ServerKind } from '../server.js';
import { amountOf, type Fields, fieldsOf, nameOf, own, parseFields, requiredList, textOf } from '../shape.js';
import { BadAnswer, type Hook, type Stream } from '../stream.js';

/** Five refused logins lock the account for a quarter of an hour, for every client at this address. */
const refusalPauseMs = 5 * 60_000;

export const nodeMediaServer: ServerKind = {
  api: 'http://127.0.0.1:8000',
  address: 'http://{host}:8000/{app}/{stream}',
  create: (credentials, now) => new NodeMediaServer(credentials, now),
};

class NodeMediaServer implements MediaServer {
  #token: string | undefined;
  #loginAfter = Number.NEGATIVE_INFINITY;
  readonly #credentials: Credentials;
  readonly #now: () => number;

  constructor(credentials: Credentials, now: () => number) {
    this.#credentials = credentials;
    this.#now = now;
  }

  async read(ask: Ask) {
    const path = '/api/v1/streams';
    let reply = await ask({ path, headers: await this.#headers(ask) });
    if (reply.status === 401 && this.#token !== undefined) {
      // The token is a day old, or the server has a new secret.
      this.#token = undefined;
      reply = await ask({ path, headers: await this.#headers(ask) });
    }
    const streams = requiredList(fieldsOf(own(parseFields(accepted(reply)), 'data')), 'streams');
    return { streams: streams.flatMap(streamOf) };
  }

  heard({ body }: { readonly body: string }): Hook | undefined {
    let fields: Fields;
    try {
      fields = parseFields(body);
    } catch {
      return undefined;
    }
    const name = nameOf(fields, 'name');
    const action = textOf(fields, 'action');
    if (name === undefined || (action !== 'postPublish' && action !== 'donePublish')) return undefined;
    const kind = action === 'postPublish' ? 'published' : 'unpublished';
    return { kind, stream: { vhost: '', app: textOf(fields, 'app') ?? '', name, publisher: nameOf(fields, 'id') } };
  }

  async #headers(ask: Ask): Promise<Readonly<Record<string, string>>> {
    const { user, secret } = this.#credentials;
    if (secret === undefined) return {};
    if (user === undefined) return { authorization: `Bearer ${secret}` };
    this.#token ??= await this.#login(ask, user, secret);
    return { authorization: `Bearer ${this.#token}` };
  }

  async #login(ask: Ask, username: string, password: string): Promise<string> {
    if (this.#now() < this.#loginAfter) throw new BadAnswer('it refused the login, which is tried again later');
    const { status, text } = await ask({ path: '/api/v1/login', json: { username, password } });
    if (status === 401 || status === 429) this.#loginAfter = this.#now() + refusalPauseMs;
    if (status !== 200) throw new BadAnswer(`the login was answered ${status}`);
    const token = textOf(fieldsOf(own(parseFields(text), 'data')), 'token');
    if (token === undefined) throw new BadAnswer('the login brought no token');
    return token;
  }
}

/** A publisher that left is kept for some seconds, in case it comes back: `status` says so. Older versions have no `status`. */
function streamOf(fields: Fields): Stream[] {
  const publisher = fieldsOf(own(fields, 'publisher'));
  const name = nameOf(fields, 'name');
  const status = textOf(fields, 'status');
  if (name === undefined || publisher === undefined || (status ?? 'publishing') !== 'publishing') return [];
  const bytes = amountOf(fields, 'inBps');
  return [
    {
      vhost: '',
      app: textOf(fields, 'app') ?? '',
      name,
      publisher: nameOf(publisher, 'id'),
      viewers: amountOf(fields, 'subscribers'),
      bitrate: bytes === undefined || bytes === 0 ? undefined : (bytes * 8) / 1000,
    },
  ];
}

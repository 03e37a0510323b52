// MediaMTX: /v3/paths/list and /v3/srtconns/list; runOnAvailable and runOnUnavailable call with the path in the query.
// https://mediamtx.org/docs/usage/control-api

import { type Ask, accepted } from '../request.js';
import { authorization, type HookCall, type MediaServer, type ServerKind } from '../server.js';
import {
  amountOf,
  type Fields,
  fieldsOf,
  fractionOf,
  listOf,
  nameOf,
  own,
  parseFields,
  requiredList,
} from '../shape.js';
import type { Hook, Stream } from '../stream.js';

const perPage = 1_000;
const maxPages = 20;

export const mediamtx: ServerKind = {
  api: 'http://127.0.0.1:9997',
  // HLS only: the edge asks for /live/CHANNEL.m3u8, the server has /PATH/index.m3u8 and other names beside it.
  address: 'http://{host}:8888/{path}/index{rest}',
  create(credentials, now): MediaServer {
    const headers = authorization(credentials);
    const rates = new Rates(now);
    return {
      async read(ask) {
        const paths = await pagesOf(ask, '/v3/paths/list', headers);
        const published = paths.filter((path) => own(path, 'available') === true || own(path, 'ready') === true);
        const loss = published.some(fromSrt) ? await lossOf(ask, headers) : new Map<string, number>();
        return { streams: rates.of(published).flatMap((path) => streamOf(path, loss)) };
      },
      heard: hookOf,
    };
  },
};

async function pagesOf(ask: Ask, path: string, headers: Readonly<Record<string, string>>): Promise<readonly Fields[]> {
  const items: Fields[] = [];
  for (let page = 0; page < maxPages; page++) {
    const text = accepted(await ask({ path: `${path}?itemsPerPage=${perPage}&page=${page}`, headers }));
    const answer = parseFields(text);
    items.push(...requiredList(answer, 'items'));
    if (page + 1 >= (amountOf(answer, 'pageCount') ?? 1)) break;
  }
  return items;
}

const fromSrt = (path: Fields) => nameOf(fieldsOf(own(path, 'source')), 'type') === 'srtConn';

/** By connection: percent of what was sent to us. A server without SRT has no such list. */
async function lossOf(ask: Ask, headers: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, number>> {
  const { status, text } = await ask({ path: `/v3/srtconns/list?itemsPerPage=${perPage}`, headers });
  if (status !== 200) return new Map();
  const entries = (listOf(parseFields(text), 'items') ?? []).flatMap((connection): [string, number][] => {
    const id = nameOf(connection, 'id');
    const loss = fractionOf(amountOf(connection, 'packetsReceivedLossRate'));
    return id === undefined || loss === undefined ? [] : [[id, loss]];
  });
  return new Map(entries);
}

interface Measured {
  readonly path: Fields;
  readonly bitrate: number | undefined;
}

/** The server counts bytes: the rate follows from the bytes since the last answer. */
class Rates {
  #last = new Map<string, { readonly bytes: number; readonly at: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  of(paths: readonly Fields[]): readonly Measured[] {
    const at = this.#now();
    const before = this.#last;
    this.#last = new Map();
    return paths.map((path) => {
      const name = nameOf(path, 'name') ?? '';
      const bytes = amountOf(path, 'inboundBytes') ?? amountOf(path, 'bytesReceived');
      if (bytes === undefined) return { path, bitrate: undefined };
      this.#last.set(name, { bytes, at });
      const last = before.get(name);
      if (last === undefined || at <= last.at || bytes < last.bytes) return { path, bitrate: undefined };
      return { path, bitrate: ((bytes - last.bytes) * 8) / (at - last.at) };
    });
  }
}

function streamOf({ path, bitrate }: Measured, loss: ReadonlyMap<string, number>): Stream[] {
  const name = nameOf(path, 'name');
  if (name === undefined) return [];
  const publisher = nameOf(fieldsOf(own(path, 'source')), 'id');
  const packetLoss = publisher === undefined ? undefined : loss.get(publisher);
  return [{ ...namesOf(name), publisher, viewers: listOf(path, 'readers')?.length, bitrate, packetLoss }];
}

/** The app is the part of a path before its last slash. */
function namesOf(path: string): Pick<Stream, 'vhost' | 'app' | 'name'> {
  const slash = path.lastIndexOf('/');
  return { vhost: '', app: path.slice(0, Math.max(0, slash)), name: path.slice(slash + 1) };
}

const kinds: Readonly<Record<string, Hook['kind']>> = { available: 'published', unavailable: 'unpublished' };

/** `/available?path=$MTX_PATH`, `/unavailable?path=$MTX_PATH` */
function hookOf({ name, query }: HookCall): Hook | undefined {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  const names = namesOf(query.get('path') ?? '');
  return kind === undefined || names.name === '' ? undefined : { kind, stream: names };
}

// nginx-rtmp and nginx-http-flv: the statistics page as XML, and notifications as forms.
// https://github.com/arut/nginx-rtmp-module/wiki/Directives

import { accepted } from '../request.js';
import { authorization, type MediaServer, type ServerKind } from '../server.js';
import { amountOf, type Fields, fieldsOf, nameOf, own } from '../shape.js';
import { BadAnswer, type Hook, keyOf, type Stream } from '../stream.js';
import { parseXml, plainText } from '../xml.js';

export const nginxRtmp: ServerKind = {
  api: 'http://127.0.0.1:80/stat',
  address: 'http://{host}:80/hls/{stream}',
  create(credentials, now): MediaServer {
    const headers = authorization(credentials);
    const workers = new Workers(now);
    return {
      read: async (ask) => ({ streams: workers.answered(readStat(accepted(await ask({ path: '', headers })))) }),
      heard: ({ body }) => hookOf(new URLSearchParams(body)),
    };
  },
};

/** The report of one worker process. */
interface Stat {
  readonly worker: string;
  readonly streams: readonly Stream[];
}

/** After this time without its answer a worker is forgotten. Which worker answers a request is left to chance by nginx. */
const forgetAfterMs = 5_000;
const maxWorkers = 64;

/** Each worker reports only its own streams: the last reports of the others count too. */
class Workers {
  readonly #latest = new Map<string, { readonly streams: readonly Stream[]; readonly at: number }>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  answered({ worker, streams }: Stat): readonly Stream[] {
    const at = this.#now();
    this.#latest.delete(worker);
    this.#latest.set(worker, { streams, at });
    for (const [other, stat] of this.#latest) {
      if (stat.at + forgetAfterMs <= at || this.#latest.size > maxWorkers) this.#latest.delete(other);
    }
    const all = new Map<string, Stream>();
    for (const stat of this.#latest.values()) for (const stream of stat.streams) all.set(keyOf(stream), stream);
    return [...all.values()];
  }
}

/** @throws BadAnswer for a text that is no statistics page */
function readStat(text: string): Stat {
  const rtmp = fieldsOf(own(parseXml(text), 'rtmp'));
  if (rtmp === undefined) throw new BadAnswer('the answer has no <rtmp>');
  const applications = all(rtmp, 'server').flatMap((server) => all(server, 'application'));
  const streams = applications.flatMap((application) => {
    const app = plainText(nameOf(application, 'name') ?? '');
    return all(application, 'live').flatMap((live) => all(live, 'stream').flatMap((stream) => streamOf(stream, app)));
  });
  return { worker: nameOf(rtmp, 'pid') ?? '', streams };
}

function streamOf(fields: Fields, app: string): Stream[] {
  const name = nameOf(fields, 'name');
  // An empty element says that it is published.
  if (name === undefined || own(fields, 'publishing') === undefined) return [];
  const publisher = all(fields, 'client').find((client) => own(client, 'publishing') !== undefined);
  const clients = amountOf(fields, 'nclients');
  const bits = amountOf(fields, 'bw_in');
  return [
    {
      vhost: '',
      app,
      name: plainText(name),
      publisher: nameOf(publisher, 'id'),
      viewers: clients === undefined ? undefined : Math.max(0, clients - 1),
      // A mean of ten seconds, 0 until there is one.
      bitrate: bits === undefined || bits === 0 ? undefined : bits / 1000,
    },
  ];
}

/** The elements of a name, which may occur once, several times or not at all. */
function all(fields: Fields, name: string): readonly Fields[] {
  const value = own(fields, name);
  return (Array.isArray(value) ? value : [value]).map(fieldsOf).filter((each) => each !== undefined);
}

const calls: Readonly<Record<string, Hook['kind']>> = { publish: 'published', publish_done: 'unpublished' };

function hookOf(form: URLSearchParams): Hook | undefined {
  const call = form.get('call') ?? '';
  const kind = Object.hasOwn(calls, call) ? calls[call] : undefined;
  const name = form.get('name') ?? '';
  if (kind === undefined || name === '') return undefined;
  const publisher = form.get('clientid') ?? undefined;
  return { kind, stream: { vhost: '', app: form.get('app') ?? '', name, publisher } };
}

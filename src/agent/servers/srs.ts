// SRS 5 to 7: /api/v1/streams and /api/v1/summaries; http_hooks on_publish and on_unpublish.
// https://ossrs.io/lts/en-us/docs/v6/doc/http-api, …/http-callback

import { type Ask, accepted } from '../request.js';
import { authorization, type MediaServer, type ServerKind } from '../server.js';
import {
  amountOf,
  type Fields,
  fieldsOf,
  fractionOf,
  nameOf,
  own,
  parseFields,
  requiredList,
  textOf,
} from '../shape.js';
import type { Hook, Stream } from '../stream.js';

/** Without a count SRS lists ten. */
const maxCount = 100_000;

export const srs: ServerKind = {
  api: 'http://127.0.0.1:1985',
  address: 'http://{host}:8080/{app}/{stream}',
  create(credentials): MediaServer {
    const headers = authorization(credentials);
    const fields = async (ask: Ask, path: string) => parseFields(accepted(await ask({ path, headers })));
    return {
      async read(ask) {
        const vhosts = namesOf(await fields(ask, `/api/v1/vhosts?start=0&count=${maxCount}`));
        const streams = requiredList(await fields(ask, `/api/v1/streams?start=0&count=${maxCount}`), 'streams');
        return {
          streams: streams.flatMap((each) => streamOf(each, vhosts)),
          cpu: cpuOf(await fields(ask, '/api/v1/summaries')),
        };
      },
      heard: ({ body }) => hookOf(body),
    };
  },
};

/** A stream names its vhost by an id. */
function namesOf(answer: Fields): ReadonlyMap<string, string> {
  return new Map(
    requiredList(answer, 'vhosts').map((vhost) => [nameOf(vhost, 'id') ?? '', nameOf(vhost, 'name') ?? '']),
  );
}

function streamOf(fields: Fields, vhosts: ReadonlyMap<string, string>): Stream[] {
  const publish = fieldsOf(own(fields, 'publish'));
  const name = nameOf(fields, 'name');
  if (name === undefined || own(publish, 'active') !== true) return [];
  const vhost = nameOf(fields, 'vhost') ?? '';
  const clients = amountOf(fields, 'clients');
  return [
    {
      vhost: vhosts.get(vhost) ?? vhost,
      app: textOf(fields, 'app') ?? '',
      name,
      publisher: nameOf(publish, 'cid'),
      // The publisher is one of the clients.
      viewers: clients === undefined ? undefined : Math.max(0, clients - 1),
      // A mean of 30 s, 0 until there is one.
      bitrate: amountOf(fieldsOf(own(fields, 'kbps')), 'recv_30s') || undefined,
    },
  ];
}

/** Of its single thread, which is the bottleneck. */
function cpuOf(answer: Fields): number | undefined {
  const self = fieldsOf(own(fieldsOf(own(answer, 'data')), 'self'));
  return fractionOf(amountOf(self, 'cpu_percent'));
}

const kinds: Readonly<Record<string, Hook['kind']>> = { on_publish: 'published', on_unpublish: 'unpublished' };

/** The heartbeat of SRS arrives here too; it says nothing about streams. */
function hookOf(body: string): Hook | undefined {
  let fields: Fields;
  try {
    fields = parseFields(body);
  } catch {
    return undefined;
  }
  const action = textOf(fields, 'action') ?? '';
  const kind = Object.hasOwn(kinds, action) ? kinds[action] : undefined;
  const name = nameOf(fields, 'stream');
  if (kind === undefined || name === undefined) return undefined;
  const app = textOf(fields, 'app') ?? '';
  return { kind, stream: { vhost: textOf(fields, 'vhost') ?? '', app, name, publisher: nameOf(fields, 'client_id') } };
}

// LAL: /api/stat/all_group, and the notifications on_pub_start and on_pub_stop, each to an address of its own.
// https://pengrl.com/lal/

import { accepted } from '../request.js';
import { authorization, type HookCall, type MediaServer, type ServerKind } from '../server.js';
import { amountOf, type Fields, fieldsOf, listOf, nameOf, own, parseFields, requiredList, textOf } from '../shape.js';
import type { Hook, Stream } from '../stream.js';

export const lal: ServerKind = {
  api: 'http://127.0.0.1:8083',
  address: 'http://{host}:8080/{app}/{stream}',
  create(credentials): MediaServer {
    const headers = authorization(credentials);
    return {
      async read(ask) {
        const answer = parseFields(accepted(await ask({ path: '/api/stat/all_group', headers })));
        return { streams: requiredList(fieldsOf(own(answer, 'data')), 'groups').flatMap(streamOf) };
      },
      heard: hookOf,
    };
  },
};

/** A group with neither a publisher nor a pull has viewers who wait for one. */
function streamOf(group: Fields): Stream[] {
  const name = nameOf(group, 'stream_name');
  const source = ['pub', 'pull']
    .map((role) => fieldsOf(own(group, role)))
    .find((each) => nameOf(each, 'session_id') !== undefined);
  if (name === undefined || source === undefined) return [];
  const rate =
    amountOf(source, 'read_bitrate_kbits') ?? amountOf(source, 'bitrate_kbits') ?? amountOf(source, 'bitrate');
  return [
    {
      vhost: '',
      app: textOf(group, 'app_name') ?? '',
      name,
      publisher: nameOf(source, 'session_id'),
      // A list that is empty is null.
      viewers: listOf(group, 'subs')?.length ?? 0,
      bitrate: rate === 0 ? undefined : rate,
    },
  ];
}

const kinds: Readonly<Record<string, Hook['kind']>> = { on_pub_start: 'published', on_pub_stop: 'unpublished' };

/** Only the called address says what happened. */
function hookOf({ name: called, body }: HookCall): Hook | undefined {
  const kind = Object.hasOwn(kinds, called) ? kinds[called] : undefined;
  if (kind === undefined) return undefined;
  let fields: Fields;
  try {
    fields = parseFields(body);
  } catch {
    return undefined;
  }
  const name = nameOf(fields, 'stream_name');
  if (name === undefined) return undefined;
  return {
    kind,
    stream: { vhost: '', app: textOf(fields, 'app_name') ?? '', name, publisher: nameOf(fields, 'session_id') },
  };
}

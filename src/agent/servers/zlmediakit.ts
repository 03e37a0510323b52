// ZLMediaKit: /index/api/getMediaList with its secret, and the hook on_stream_changed.
// https://docs.zlmediakit.com/guide/media_server/restful_api.html

import { accepted } from '../request.js';
import type { MediaServer, ServerKind } from '../server.js';
import { amountOf, type Fields, listOf, nameOf, own, parseFields, textOf } from '../shape.js';
import { BadAnswer, type Hook, keyOf, type Stream } from '../stream.js';

export const zlmediakit: ServerKind = {
  api: 'http://127.0.0.1:80',
  address: 'http://{host}:80/{app}/{stream}.live{rest}',
  create({ secret }): MediaServer {
    const query = secret === undefined ? '' : `?secret=${encodeURIComponent(secret)}`;
    return {
      async read(ask) {
        const answer = parseFields(accepted(await ask({ path: `/index/api/getMediaList${query}` })));
        const code = own(answer, 'code');
        if (code !== 0)
          throw new BadAnswer(`the API answered code ${amountOf(answer, 'code') ?? 'below 0'} (see --api-secret-file)`);
        return { streams: once((listOf(answer, 'data') ?? []).flatMap(streamOf)) };
      },
      heard: ({ body }) => hookOf(body),
    };
  },
};

/** A stream is listed once for each protocol. Each entry has the viewers of all protocols, some have the bitrate. */
function once(rows: readonly Stream[]): readonly Stream[] {
  const all = new Map<string, Stream>();
  for (const row of rows) {
    const before = all.get(keyOf(row));
    all.set(keyOf(row), {
      ...row,
      viewers: larger(before?.viewers, row.viewers),
      bitrate: larger(before?.bitrate, row.bitrate),
    });
  }
  return [...all.values()];
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

function namesOf(fields: Fields): Stream[] {
  const name = nameOf(fields, 'stream');
  if (name === undefined) return [];
  return [{ vhost: textOf(fields, 'vhost') ?? '', app: textOf(fields, 'app') ?? '', name }];
}

function streamOf(fields: Fields): Stream[] {
  const bytes = amountOf(fields, 'bytesSpeed');
  return namesOf(fields).map((names) => ({
    ...names,
    viewers: amountOf(fields, 'totalReaderCount') ?? amountOf(fields, 'readerCount'),
    bitrate: bytes === undefined || bytes === 0 ? undefined : (bytes * 8) / 1000,
  }));
}

/** One protocol of a stream ends before the others: only RTMP, which every stream has, says when it begins and ends. */
function hookOf(body: string): Hook | undefined {
  let fields: Fields;
  try {
    fields = parseFields(body);
  } catch {
    return undefined;
  }
  const regist = own(fields, 'regist');
  const [stream] = namesOf(fields);
  if (typeof regist !== 'boolean' || stream === undefined || textOf(fields, 'schema') !== 'rtmp') return undefined;
  return { kind: regist ? 'published' : 'unpublished', stream };
}

// A media server's API as a table of answers, for tests of what reads it.

import fc from 'fast-check';
import { kinds } from '../../src/agent/kinds.js';
import type { Ask, Question, Reply } from '../../src/agent/request.js';
import { BadAnswer, type Reading } from '../../src/agent/stream.js';

export interface PlayedApi {
  readonly ask: Ask;
  readonly questions: Question[];
}

/** Answers by path without its query; an object is sent as JSON, a number is a status. What is not there is a 404. */
export function playedApi(answers: Readonly<Record<string, unknown>>): PlayedApi {
  const questions: Question[] = [];
  const ask = async (question: Question): Promise<Reply> => {
    questions.push(question);
    const answer = answers[question.path.split('?', 1)[0] ?? ''];
    if (answer === undefined) return { status: 404, text: 'nothing here' };
    if (typeof answer === 'number') return { status: answer, text: '' };
    return { status: 200, text: typeof answer === 'string' ? answer : JSON.stringify(answer) };
  };
  return { ask, questions };
}

type KindName = keyof typeof kinds;

export const nobody = { user: undefined, secret: undefined };

export function read(kind: KindName, answers: Readonly<Record<string, unknown>>): Promise<Reading> {
  return kinds[kind].create(nobody, () => 0).read(playedApi(answers).ask);
}

/** What a server of the kind makes of a call to `/NAME?QUERY`. */
export function hear(
  kind: KindName,
  call: { readonly name?: string; readonly query?: string; readonly body?: unknown },
) {
  const { name = '', query = '', body = '' } = call;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return kinds[kind].create(nobody, () => 0).heard({ name, query: new URLSearchParams(query), body: text });
}

/** Parts of what it answers, with other types and other sizes in them. */
const members = fc.constantFrom(
  ...[
    'streams',
    'vhosts',
    'data',
    'self',
    'publish',
    'active',
    'name',
    'app',
    'vhost',
    'clients',
    'kbps',
    'recv_30s',
    'code',
  ],
  ...[
    'publisher',
    'status',
    'items',
    'available',
    'ready',
    'groups',
    'pub',
    'subs',
    'stream_name',
    'schema',
    'stream',
    'path',
  ],
  ...['action', 'regist', 'cpu_percent', '__proto__', 'constructor', 'toString', 'length'],
);
const leaf = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.constantFrom('live', 1, -1, 1e300));
export const anyAnswer: fc.Arbitrary<string> = fc.oneof(
  fc
    .letrec((tie) => ({
      value: fc.oneof({ maxDepth: 6 }, leaf, tie('object'), fc.array(tie('value'), { maxLength: 4 })),
      object: fc.dictionary(members, tie('value'), { maxKeys: 6 }),
    }))
    .object.map((value) => JSON.stringify(value)),
  fc.string(),
  fc.json(),
);

/** Elements of a statistics page in any order, also unclosed. */
const tags = [
  'rtmp',
  'server',
  'application',
  'live',
  'stream',
  'name',
  'publishing',
  'client',
  'nclients',
  'bw_in',
  'pid',
];
const tag = fc.constantFrom(...tags, '!DOCTYPE x', '![CDATA[', '?xml', '__proto__', 'constructor');
const piece = fc.oneof(
  tag.map((name) => `<${name}>`),
  tag.map((name) => `</${name}>`),
  tag.map((name) => `<${name}/>`),
  fc.string({ maxLength: 5 }),
  fc.constantFrom('&amp;', '&x;', ']]>', '<!--', '-->', '1', 'live'),
);
export const anyPage: fc.Arbitrary<string> = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join('')),
  fc
    .array(fc.tuple(tag, fc.string({ maxLength: 5 })), { maxLength: 12 })
    .map((all) => all.reduceRight((inside, [name, text]) => `<${name}>${text}${inside}</${name}>`, '')),
);

/** Whatever the server answers is read, or refused as what it is. */
export async function survives(kind: KindName, answer: string): Promise<void> {
  const server = kinds[kind].create({ user: 'u', secret: 's' }, () => 0);
  const ask = async (): Promise<Reply> => ({ status: 200, text: answer });
  try {
    const { streams } = await server.read(ask);
    for (const { name, app, vhost } of streams) {
      if ([name, app, vhost].some((text) => typeof text !== 'string') || name === '')
        throw new Error('a stream without a name');
    }
  } catch (error) {
    if (!(error instanceof BadAnswer)) throw error;
  }
  server.heard({ name: answer.slice(0, 20), query: new URLSearchParams(answer), body: answer });
}

// A file of endpoints is followed however it is written; wrong or gone it takes nothing away.

import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { FileRegistry, maxFileBytes } from '../../src/registry/file-registry.js';
import { RecordingSink } from '../support/recording-sink.js';

let folder: string;
let path: string;
let follower: Follower | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-file-registry-'));
  path = join(folder, 'channels.yaml');
});
afterEach(async () => {
  await follower?.end();
  follower = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const news = (...addresses: readonly string[]) => `channels: {news: ${JSON.stringify(addresses)}}`;
const [a, b] = ['10.0.0.1:80', '10.0.0.2:80'];

/** A registry whose looks at the file are made by the test. */
class Follower {
  readonly sink = new RecordingSink();
  readonly errors: string[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #goOn: (() => void) | undefined;
  #looked: (() => void) | undefined;

  constructor(options: { path?: string | undefined; origins?: readonly string[] } = {}) {
    const { origins = [] } = options;
    const log = () => undefined;
    const logger = {
      info: log,
      warn: log,
      error: (fields: object, message: string) => {
        this.errors.push(`${message} (${(fields as { reason: string }).reason})`);
      },
    };
    const registry = new FileRegistry(
      { path: 'path' in options ? options.path : path, origins, limits: { endpointsPerChannel: 100 } },
      logger,
      (signal) =>
        new Promise<void>((resolve) => {
          this.#goOn = resolve;
          signal.addEventListener('abort', () => resolve(), { once: true });
          this.#looked?.();
        }),
    );
    this.#done = new Promise<void>((resolve) => {
      this.#looked = resolve;
    });
    const run = registry.run(this.sink, this.#stop.signal);
    this.end = async () => {
      this.#stop.abort();
      await run;
    };
  }

  end: () => Promise<void>;

  /** Resolves after the first look. */
  get started(): Promise<void> {
    return this.#done;
  }

  /** So many looks, one after the other. */
  async look(times = 1): Promise<void> {
    for (let i = 0; i < times; i += 1) {
      const looked = new Promise<void>((resolve) => {
        this.#looked = resolve;
      });
      this.#goOn?.();
      await looked;
    }
  }
}

async function follow(options?: { path?: string | undefined; origins?: readonly string[] }): Promise<Follower> {
  follower = new Follower(options);
  await follower.started;
  return follower;
}

function replace(text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

test('what stands in the file is registered, and a renamed one at the next look', async () => {
  writeFileSync(path, news(a));
  const { sink, look } = bound(await follow());
  assert.deepEqual(sink.sequence, ['replace', 'live']);
  assert.deepEqual(sink.addresses('news'), [a]);
  replace('channels: {news: [{service_address: "10.0.0.1:80", load: 0.5}, "10.0.0.2:80"]}');
  await look();
  assert.deepEqual(sink.addresses('news'), [a, b]);
  assert.deepEqual(sink.sequence, ['replace', 'live', 'put', 'put']);
  const version = sink.of('news')[0]?.version ?? 0;
  replace('channels: {news: [{service_address: "10.0.0.1:80", load: 0.6}]}');
  await look();
  assert.deepEqual(sink.sequence.slice(4), ['put', 'drop']);
  assert.ok((sink.of('news')[0]?.version ?? 0) > version, 'a new report');
  await look(3);
  assert.equal(sink.told.length, 6, 'nothing more is told');
});

test('one that is written in place is read when it has stood still', async () => {
  writeFileSync(path, news(a));
  const { sink, look, errors } = bound(await follow());
  writeFileSync(path, '');
  await look();
  writeFileSync(path, 'channels: {news: [');
  await look();
  assert.deepEqual(errors, [], 'nobody is told of what is in the making');
  writeFileSync(path, news(a, b));
  await look(2);
  assert.deepEqual(sink.addresses('news'), [a, b]);
  assert.deepEqual(errors, []);
});

test('one that is wrong changes nothing, is told once, and the next one counts', async () => {
  writeFileSync(path, news(a));
  const { sink, look, errors } = bound(await follow());
  for (const wrong of ['channels: {news: [', news('nonsense')]) {
    errors.length = 0;
    replace(wrong);
    await look(4);
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', /the file of endpoints is not used/);
    assert.equal(sink.state, 'live');
    assert.deepEqual(sink.addresses('news'), [a]);
  }
  assert.equal(sink.notes.filter((note) => note.kind === 'event' && note.event === 'file_refused').length, 2);
  replace(news(b));
  await look();
  assert.deepEqual(sink.addresses('news'), [b]);
});

test('a link that is turned to another folder is followed, as config maps are', async () => {
  for (const [version, address] of [['v1', a] as const, ['v2', b] as const]) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'channels.yaml'), news(address));
  }
  symlinkSync('v1', join(folder, '..data'));
  symlinkSync(join('..data', 'channels.yaml'), path);
  const { sink, look } = bound(await follow());
  assert.deepEqual(sink.addresses('news'), [a]);
  symlinkSync('v2', join(folder, '..new'));
  renameSync(join(folder, '..new'), join(folder, '..data'));
  await look();
  assert.deepEqual(sink.addresses('news'), [b]);
});

test('one that is gone leaves what is known, and what comes back counts at once', async () => {
  writeFileSync(path, news(a));
  const { sink, look, errors } = bound(await follow());
  unlinkSync(path);
  await look(3);
  assert.equal(sink.state, 'stale');
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /cannot be read.*ENOENT/);
  assert.deepEqual(sink.addresses('news'), [a]);
  writeFileSync(path, news(a, b));
  await look();
  assert.equal(sink.state, 'live');
  assert.deepEqual(sink.sequence, ['replace', 'live', 'stale', 'replace', 'live']);
  assert.deepEqual(sink.addresses('news'), [a, b]);
});

test('one that is not there at the start is waited for', async () => {
  const { sink, look } = bound(await follow());
  assert.equal(sink.endpoints.size, 0);
  assert.notEqual(sink.state, 'live');
  replace(news(a));
  await look();
  assert.equal(sink.state, 'live');
  assert.deepEqual(sink.addresses('news'), [a]);
});

test('one that is too large, or no file, is not read', async () => {
  writeFileSync(path, news(a));
  const { sink, look, errors } = bound(await follow());
  writeFileSync(`${path}.new`, '');
  truncateSync(`${path}.new`, maxFileBytes + 1);
  renameSync(`${path}.new`, path);
  await look(2);
  assert.match(errors.join(), /4 MiB/);
  unlinkSync(path);
  mkdirSync(path);
  await look(2);
  assert.match(errors.join(), /it is no file/);
  assert.deepEqual(sink.addresses('news'), [a]);
});

test('origins of the settings stand beside the file, which has the last word, and alone without one', async () => {
  writeFileSync(path, 'channels: {news: [{service_address: "10.0.0.1:80", load: 0.5}]}');
  const { sink } = bound(await follow({ path, origins: [`news=${a}`, `sport=${b}`] }));
  assert.equal(sink.of('news')[0]?.load, 0.5);
  assert.deepEqual(sink.addresses('sport'), [b]);
  await follower?.end();
  const alone = await follow({ path: undefined, origins: [`news=${a}`, `news=${b}`] });
  assert.deepEqual(alone.sink.sequence, ['replace', 'live']);
  assert.deepEqual(alone.sink.addresses('news'), [a, b]);
});

function bound(one: Follower) {
  return { sink: one.sink, errors: one.errors, look: (times?: number) => one.look(times) };
}

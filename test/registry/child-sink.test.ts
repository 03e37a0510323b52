import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Endpoint } from '../../src/model.js';
import { ChildSink } from '../../src/registry/child-sink.js';
import type { RegistrySink } from '../../src/registry/registry.js';
import { endpoint } from '../support/data-plane.js';

const [a, b, c] = ['a', 'b', 'c'].map((name) => endpoint(name, '10.0.0.1:80')) as [Endpoint, Endpoint, Endpoint];
const part = (first: boolean, last: boolean, ...endpoints: Endpoint[]) =>
  ({ kind: 'replace', first, last, endpoints }) as const;

function start() {
  const heard: string[] = [];
  const names = (all: Iterable<Endpoint>) => [...all].map(({ channel }) => channel).join('');
  const sink: RegistrySink = {
    replace: (all) => heard.push(`replace ${names(all)}`),
    put: (one) => heard.push(`put ${one.channel}`),
    drop: (id) => heard.push(`drop ${id}`),
    status: (state) => heard.push(state),
    note() {},
  };
  return { heard, child: new ChildSink(sink, () => {}) };
}

test('a large picture is passed on part by part, so that its end has little left to do', () => {
  const { heard, child } = start();
  child.receive(part(true, false, a));
  assert.deepEqual([heard, child.any, child.complete], [['put a'], true, false]);
  child.receive(part(false, false, b));
  child.receive(part(false, true, c));
  assert.deepEqual(heard, ['put a', 'put b', 'put c', 'replace abc']);
  assert.equal(child.complete, true);
});

test('a small picture is one thing', () => {
  const { heard, child } = start();
  child.receive(part(true, true, a, b));
  assert.deepEqual(heard, ['replace ab']);
});

test('a picture that breaks off takes nothing out, and the next one begins anew', () => {
  const { heard, child } = start();
  child.receive(part(true, true, a));
  child.receive(part(true, false, b));
  child.receive(part(true, false, c));
  child.receive(part(false, true));
  assert.deepEqual(heard.slice(1), ['put b', 'put c', 'replace c']);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Keeper } from '../../src/registrar/keeper.js';
import { registrarOf } from '../../src/registrar/registrar.js';

/** Keeps what is to stand in the registry. */
function keeper() {
  const written: object[] = [];
  const write = (data: string) => void written.push(JSON.parse(data) as object);
  const keeps: Keeper = {
    keep(_, data) {
      write(data);
      return { path: '/a', made: Promise.resolve(), write, remove() {} };
    },
    async close() {},
  };
  return { registrar: registrarOf(keeps), written };
}

test('what an origin says of itself beside its values is written with every report, and its status when it changes', () => {
  const { registrar, written } = keeper();
  const traits = {
    weight: 2,
    zone: 'a',
    priority: 1,
    path: '/{channel}{rest}',
    release: '1.0',
    properties: { a: 'b' },
  };
  const registration = registrar.register('news', { address: 'o:80', load: 0.1, traits });
  registration.update({ status: 'draining' });
  registration.update({ load: 0.2 });
  registration.update({ status: undefined });
  const { release, ...others } = traits;
  const said = { service_address: 'o:80', ...others, version: release };
  assert.deepEqual(written, [
    { ...said, load: 0.1 },
    { ...said, load: 0.1, status: 'draining' },
    { ...said, load: 0.2, status: 'draining' },
    { ...said, load: 0.2 },
  ]);
});

test('what does not hold is refused in words', () => {
  const { registrar, written } = keeper();
  const bad = [
    [{ traits: { weight: -1 } }, /weight: expected a number from 0 to 10000/],
    [{ traits: { priority: 0.5 } }, /priority: expected a whole number/],
    [{ traits: { release: 'x'.repeat(65) } }, /version: expected/],
    [{ status: 'gone' as never }, /status: expected one of live, draining, off/],
  ] as const;
  for (const [more, expected] of bad) {
    assert.throws(() => registrar.register('news', { address: 'o:80', ...more }), expected);
  }
  assert.deepEqual(written, []);
});

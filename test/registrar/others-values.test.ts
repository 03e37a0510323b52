// What others wrote into a node that an origin keeps: it stays until the origin itself says otherwise.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OthersValues } from '../../src/registrar/others-values.js';

const own = '{"service_address":"a:1","load":0.1}';

test('a status that somebody set stays over every report', () => {
  const others = new OthersValues();
  others.adopt(own, '{"service_address":"a:1","load":0.1,"status":"draining"}');
  assert.equal(
    others.over('{"service_address":"a:1","load":0.9}'),
    '{"service_address":"a:1","load":0.9,"status":"draining"}',
  );
});

test("the address and what is measured are the origin's own, whatever others write", () => {
  const others = new OthersValues();
  others.adopt(own, '{"service_address":"b:1","load":1,"bitrate":5,"packet_loss_rate":1}');
  assert.equal(others.over(own), own);
});

test('a value that was left out since the last report is not taken for one of others', () => {
  const others = new OthersValues();
  others.adopt('{"zone":"north"}', '{"zone":"north","status":"draining"}');
  assert.equal(others.over('{}'), '{"status":"draining"}');
});

test('whoever changed a value last has it', () => {
  const others = new OthersValues();
  const said = '{"weight":1,"status":"live"}';
  others.adopt(said, '{"weight":0.1,"status":"live","canary":true}');
  assert.equal(others.over(said), '{"weight":0.1,"status":"live","canary":true}');
  others.supersede(said, '{"weight":1,"status":"draining"}');
  assert.equal(others.over('{"weight":1,"status":"draining"}'), '{"weight":0.1,"status":"draining","canary":true}');
  others.supersede('{"weight":1}', '{"weight":2}');
  assert.equal(others.over('{"weight":2}'), '{"weight":2,"canary":true}');
  others.adopt('{"weight":2,"canary":true}', '{"weight":2}');
  assert.equal(others.over('{"weight":2}'), '{"weight":2}');
});

test('what is no object, or too large, is not taken over', () => {
  const others = new OthersValues();
  for (const theirs of ['', 'null', '[1]', '{"a":', `{"a":"${'x'.repeat(70_000)}"}`]) others.adopt(own, theirs);
  others.adopt(undefined, '{"status":"draining"}');
  assert.equal(others.over(own), own);
});

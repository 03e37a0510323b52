import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digest, readDocument, writeDocument } from '../../../src/fleet/config/document.js';

const heading = {
  layer: '/weir/config',
  version: 7,
  at: '2026-01-02T03:04:05.000Z',
  by: 'ann@desk',
  note: 'less delay',
};

test('a document that is written and read again is the same, whatever its note and its author hold', () => {
  for (const body of ['', 'log: {level: warn}\n', '# weir config is not read twice\n', 'a: 1']) {
    assert.deepEqual(readDocument(writeDocument(heading, body)), { heading, body });
  }
  const odd = writeDocument(
    { ...heading, note: `two\nlines\u001b[2J${'x'.repeat(300)}`, by: 'ann lee\n@desk' },
    'a: 1\n',
  );
  const { heading: read, body } = readDocument(odd);
  assert.equal(body, 'a: 1\n');
  assert.equal(read?.by, 'ann_lee@desk');
  assert.match(read?.note ?? '', /^two lines \[2Jx+$/);
});

test('a text of other tools is a document without a heading', () => {
  for (const text of ['', 'log: {level: warn}\n', '# weir config\nlog: {}\n', `# weir config ${'x'.repeat(5_000)}`]) {
    assert.deepEqual(readDocument(text), { heading: undefined, body: text });
  }
});

test('the digest is of what is set, not of who wrote it, and none is not an empty one', () => {
  const bodyOf = (version: number) => readDocument(writeDocument({ ...heading, version }, 'a: 1\n')).body;
  assert.equal(digest(bodyOf(1)), digest(bodyOf(2)));
  assert.notEqual(digest(''), digest(undefined));
});

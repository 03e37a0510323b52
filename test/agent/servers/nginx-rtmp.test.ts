import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kinds } from '../../../src/agent/kinds.js';
import { parseXml } from '../../../src/agent/xml.js';
import { hear, nobody, playedApi, read } from '../../support/media-api.js';

const publisher =
  '<client><id>12</id><address>10.0.0.5</address><time>9</time><dropped>0</dropped><publishing/><active/></client>';
const player = '<client><id>13</id><address>10.0.0.6</address><time>5</time><dropped>4</dropped><active/></client>';
const stream = (name: string, inside = `${publisher}${player}${player}<nclients>3</nclients><publishing/><active/>`) =>
  `<stream><name>${name}</name><time>9000</time><bw_in>1203456</bw_in><bytes_in>9</bytes_in><bw_out>2406912</bw_out>${inside}</stream>`;
const page = (pid: number, ...streams: string[]) => `<?xml version="1.0" encoding="utf-8" ?>
<?xml-stylesheet type="text/xsl" href="stat.xsl" ?>
<rtmp><nginx_version>1.24.0</nginx_version><nginx_rtmp_version>1.1.4</nginx_rtmp_version><pid>${pid}</pid><uptime>60</uptime>
<naccepted>3</naccepted><bw_in>0</bw_in><server>
<application><name>live</name><live>${streams.join('\r\n')}<nclients>3</nclients></live></application>
<application><name>hls</name><live><nclients>0</nclients></live></application>
</server></rtmp>`;

const found = { vhost: '', app: 'live', name: 'news', publisher: '12', viewers: 2, bitrate: 1203.456 };

test('a stream that is published is found, with its viewers and bitrate', async () => {
  assert.deepEqual(await read('nginx-rtmp', { '': page(7, stream('news')) }), { streams: [found] });
  const { streams } = await read('nginx-rtmp', { '': page(7, stream('a'), stream('b'), stream('a&amp;b&lt;')) });
  assert.deepEqual(
    streams.map(({ name }) => name),
    ['a', 'b', 'a&b<'],
  );
});

test('a stream that only has players is none, and a page without streams is an answer', async () => {
  const waiting = stream('news', `${player}<nclients>1</nclients>`);
  assert.deepEqual(await read('nginx-rtmp', { '': page(7, waiting) }), { streams: [] });
  assert.deepEqual(await read('nginx-rtmp', { '': page(7) }), { streams: [] });
});

test('of several workers each tells of its own streams: what another one told is not gone', async () => {
  let now = 0;
  let answer = '';
  const server = kinds['nginx-rtmp'].create(nobody, () => now);
  const names = async (text: string) => {
    answer = text;
    const { streams } = await server.read(playedApi({ '': answer }).ask);
    return streams.map(({ name }) => name).sort();
  };
  assert.deepEqual(await names(page(1, stream('a'))), ['a']);
  now = 1_000;
  assert.deepEqual(await names(page(2, stream('b'))), ['a', 'b']);
  now = 2_000;
  assert.deepEqual(await names(page(1)), ['b']);
  now = 6_000;
  assert.deepEqual(await names(page(1)), []);
});

test('its notifications tell that a stream begins and ends', () => {
  const form = 'app=live&flashver=&swfurl=&tcurl=rtmp://h/live&pageurl=&addr=10.0.0.5&clientid=12&name=news&type=live';
  const named = { vhost: '', app: 'live', name: 'news', publisher: '12' };
  assert.deepEqual(hear('nginx-rtmp', { body: `${form}&call=publish` }), { kind: 'published', stream: named });
  assert.deepEqual(hear('nginx-rtmp', { body: `${form}&call=publish_done` }), { kind: 'unpublished', stream: named });
  for (const call of ['play', 'update_publish', 'constructor']) {
    assert.equal(hear('nginx-rtmp', { body: `${form}&call=${call}` }), undefined);
  }
});

test('no entity is expanded, and a page is bounded in length and depth', () => {
  const bomb =
    '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><rtmp><pid>&b;</pid></rtmp>';
  for (const text of [bomb, '<a>'.repeat(100), `<r>${' '.repeat(5 * 1024 * 1024)}</r>`, '', 'x', '{}', '<']) {
    assert.throws(() => parseXml(text), { name: 'BadAnswer' });
  }
  assert.deepEqual(parseXml('<r><a>&b;</a></r>'), { r: { a: '&b;' } });
});

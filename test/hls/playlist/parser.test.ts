import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parseAttributes, setAttribute } from '../../../src/hls/playlist/attributes.js';
import { playlistLimits } from '../../../src/hls/playlist/limits.js';
import { type MediaPlaylist, type Playlist, PlaylistError, renderTag } from '../../../src/hls/playlist/model.js';
import { parsePlaylist } from '../../../src/hls/playlist/parser.js';
import { runs } from '../../support/runs.js';

function media(text: string): MediaPlaylist {
  const playlist = parsePlaylist(text);
  assert.equal(playlist.kind, 'media');
  return playlist as MediaPlaylist;
}

/** The lines of a playlist as they were read, but for blank lines, line ends and header tags among segments. */
function renderPlaylist(playlist: Playlist): string {
  const lines =
    playlist.kind === 'multivariant'
      ? playlist.lines.map((line) => ('tag' in line ? renderTag(line.tag) : line.uri))
      : [
          ...playlist.header.map(renderTag),
          ...playlist.segments.flatMap((segment) => [...segment.tags.map(renderTag), segment.uri]),
          ...playlist.tail.map(renderTag),
        ];
  return `${lines.join('\n')}\n`;
}

const lowLatency = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0,CAN-SKIP-UNTIL=24.0
#EXT-X-PART-INF:PART-TARGET=0.33334
#EXT-X-MEDIA-SEQUENCE:266
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-02-14T02:13:36.106Z
#EXTINF:4.00008,
266.mp4
#EXT-X-DISCONTINUITY
#EXTINF:4.00008,a title, with a comma
267.mp4
#EXT-X-PART:DURATION=0.33334,URI="268.0.mp4",INDEPENDENT=YES
#EXT-X-CUE-IN
#EXTINF:4.00008,
268.mp4
#EXT-X-PART:DURATION=0.33334,URI="269.0.mp4"
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="269.1.mp4"
#EXT-X-RENDITION-REPORT:URI="../1M/waitForMSN.php",LAST-MSN=269,LAST-PART=0
`;

const multivariant = `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="English, main",URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="aud"
low.m3u8
#EXT-X-FUTURE:1
#EXT-X-STREAM-INF:BANDWIDTH=2560000
mid.m3u8?a=b
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,URI="i.m3u8"
`;

suite('parsing', () => {
  test('reads a low-latency playlist', () => {
    const playlist = media(lowLatency);
    assert.equal(playlist.targetDurationSeconds, 4);
    assert.equal(playlist.discontinuitySequence, 3);
    assert.deepEqual(
      playlist.segments.map(({ sequence, uri, discontinuity }) => [sequence, uri, discontinuity]),
      [
        [266, '266.mp4', false],
        [267, '267.mp4', true],
        [268, '268.mp4', false],
      ],
    );
    assert.equal(playlist.segments[2]?.map?.tag.value, 'URI="init.mp4"');
    assert.equal(playlist.segments[0]?.programDateTime, Date.UTC(2026, 1, 14, 2, 13, 36, 106));
    assert.equal(playlist.segments[1]?.programDateTime, undefined, 'no time is carried over a discontinuity');
    assert.deepEqual(
      playlist.tail.map((tag) => tag.name),
      ['EXT-X-PART', 'EXT-X-PRELOAD-HINT', 'EXT-X-RENDITION-REPORT'],
    );
  });

  test('reads a multivariant playlist', () => {
    const playlist = parsePlaylist(multivariant);
    assert.equal(playlist.kind, 'multivariant');
    const uris =
      playlist.kind === 'multivariant' ? playlist.lines.flatMap((line) => ('uri' in line ? [line.uri] : [])) : [];
    assert.deepEqual(uris, ['low.m3u8', 'mid.m3u8?a=b']);
  });

  test('counts segments that a delta update skips', () => {
    const playlist = media(
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n#EXTINF:4,\na\n',
    );
    assert.equal(playlist.segments[0]?.sequence, 15);
  });

  test('keys of several formats hold at once, until METHOD=NONE', () => {
    const text = `#EXTM3U
#EXT-X-TARGETDURATION:4
#EXT-X-KEY:METHOD=AES-128,URI="a"
#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://b",KEYFORMAT="com.apple"
#EXTINF:4,
1.ts
#EXT-X-KEY:METHOD=AES-128,URI="c"
#EXTINF:4,
2.ts
#EXT-X-KEY:METHOD=NONE
#EXTINF:4,
3.ts
`;
    assert.deepEqual(
      media(text).segments.map((segment) => segment.keys.map((key) => parseAttributes(key.value).get('URI'))),
      [['a', 'skd://b'], ['skd://b', 'c'], []],
    );
  });

  test('byte ranges without an offset follow the one before', () => {
    const text =
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:10@5\na\n#EXTINF:4,\n#EXT-X-BYTERANGE:7\na\n';
    assert.deepEqual(media(text).segments[1]?.byteRange, { length: 7, offset: 15 });
  });

  test("an unknown tag before the first segment is that segment's, unless a header tag follows", () => {
    const text = '#EXTM3U\n#EXT-X-FOO\n#EXT-X-TARGETDURATION:4\n#EXT-X-CUE-OUT:3\n#EXTINF:4,\na\n';
    const playlist = media(text);
    assert.deepEqual(
      playlist.header.map((tag) => tag.name),
      ['EXTM3U', 'EXT-X-FOO', 'EXT-X-TARGETDURATION'],
    );
    assert.equal(renderPlaylist(playlist), text);
  });

  const refused: [name: string, text: string][] = [
    ['nothing', ''],
    ['a page', '<!doctype html>'],
    ['another first line', '#EXTM3U8\n#EXT-X-TARGETDURATION:4\n'],
    ['no target duration', '#EXTM3U\n#EXTINF:4,\na\n'],
    ['a segment without a duration', '#EXTM3U\n#EXT-X-TARGETDURATION:4\na\n'],
    ['a negative duration', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:-1,\na\n'],
    ['a duration that is no number', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:NaN,\na\n'],
    ['an endless duration', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:1e9,\na\n'],
    ['a number beyond 2^53', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:9007199254740993\n'],
    [
      'the last number that is safe',
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:9007199254740991\n#EXTINF:1,\na\n',
    ],
    ['a control character', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\u0001b\n'],
    ['a control character of the second kind', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\u0085#EXT-X-ENDLIST\na\n'],
    ['a line end within a line', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\r#EXT-X-ENDLIST\na\n'],
    ['a separator of lines', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\u2028#EXT-X-ENDLIST\na\n'],
    ['a target duration of a week', '#EXTM3U\n#EXT-X-TARGETDURATION:604800\n#EXTINF:4,\na\n'],
    [
      'a number with no room to count on',
      `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:${2 ** 52 + 1}\n#EXTINF:1,\na\n`,
    ],
    ['skipped segments beyond all counting', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-SKIP:SKIPPED-SEGMENTS=9e15\n'],
    [
      'a discontinuity sequence that players cannot hold',
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-DISCONTINUITY-SEQUENCE:2147483648\n#EXTINF:1,\na\n',
    ],
    ['a version of the far future', '#EXTM3U\n#EXT-X-VERSION:9007199254740991\n#EXT-X-TARGETDURATION:4\n'],
    [
      'a byte range beyond exact numbers',
      '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:9007199254740991@9007199254740991\na\n',
    ],
    ['a number after a segment', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na\n#EXT-X-MEDIA-SEQUENCE:4\n'],
    ['multivariant playlist and media at once', `${multivariant}#EXTINF:4,\na\n`],
    ['a variant without its tag', '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO\nlow.m3u8\n'],
    ['a byte range from nowhere', '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n#EXT-X-BYTERANGE:7\na\n'],
  ];
  for (const [name, text] of refused) {
    test(`refuses ${name}`, () => assert.throws(() => parsePlaylist(text), PlaylistError));
  }

  const head = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n';
  const segment = '#EXTINF:4,\na\n';
  const key = (index: number) => `#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k",KEYFORMAT="${index}"\n`;
  const bounds: [name: keyof typeof playlistLimits, limit: number, text: (count: number) => string][] = [
    ['textChars', 100, (count) => `${head}${segment}#${'x'.repeat(count - head.length - segment.length - 1)}`],
    ['lines', 20, (count) => `#EXTM3U\n#EXT-X-TARGETDURATION:4${'\n'.repeat(count - 2)}`],
    ['lineChars', 50, (count) => `${head}${segment}#${'x'.repeat(count - 1)}\n`],
    ['segments', 10, (count) => head + segment.repeat(count)],
    ['parts', 10, (count) => head + segment + '#EXT-X-PART:DURATION=1,URI="p"\n'.repeat(count)],
    ['keys', 3, (count) => head + Array.from({ length: count }, (_, index) => key(index)).join('') + segment],
    ['carriedChars', 50, (count) => `${head}#EXT-X-MAP:URI="${'m'.repeat(count - 6)}"\n${segment}`],
    ['variants', 5, (count) => `#EXTM3U\n${'#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n'.repeat(count)}`],
  ];
  for (const [name, limit, text] of bounds) {
    test(`is bounded in ${name}: the most is read, one more is refused`, () => {
      const limits = { ...playlistLimits, [name]: limit };
      assert.doesNotThrow(() => parsePlaylist(text(limit), limits));
      assert.throws(() => parsePlaylist(text(limit + 1), limits), PlaylistError);
    });
  }

  test('a date that cannot be written again is none', () => {
    const at = (date: string) =>
      media(`${head}#EXT-X-PROGRAM-DATE-TIME:${date}\n#EXTINF:86400,\na\n${segment}`).segments.map(
        (one) => one.programDateTime,
      );
    assert.deepEqual(at('+275760-09-13T00:00:00.000Z'), [undefined, undefined]);
    assert.deepEqual(at(`2026-01-01T00:00:00Z${' '.repeat(1000)}(${'('.repeat(1000)}`), [undefined, undefined]);
    assert.equal(at('9999-12-30T12:00:00Z')[1], undefined, 'counted on beyond the last date');
  });

  test('keys of an initialisation section are those in force where it stands', () => {
    const text = `${head}#EXT-X-MAP:URI="clear.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n${segment}`;
    assert.deepEqual(media(text).segments[0]?.map?.keys, []);
    const after = `${head}#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXT-X-MAP:URI="i.mp4"\n#EXT-X-KEY:METHOD=NONE\n${segment}`;
    assert.equal(media(after).segments[0]?.map?.keys.length, 1);
    assert.deepEqual(media(after).segments[0]?.keys, []);
  });

  test('hostile text is refused as such or parsed, and nothing else', () => {
    const word = fc.constantFrom(
      ...[
        '#EXTM3U',
        '\n',
        '#EXTINF:',
        '4,',
        '#EXT-X-KEY:',
        'METHOD=',
        '"',
        ',',
        '=',
        '#EXT-X-BYTERANGE:',
        '1@',
        'a.ts',
      ],
      ...[
        '#EXT-X-TARGETDURATION:4',
        '#EXT-X-SKIP:SKIPPED-SEGMENTS=1',
        '99999999999999999',
        '#EXT-X-STREAM-INF:',
        '\r',
        '#',
      ],
    );
    const text = fc.oneof(
      fc.array(word, { maxLength: 60 }).map((words) => `#EXTM3U\n${words.join('')}`),
      fc.string({ maxLength: 200 }),
    );
    fc.assert(
      fc.property(text, (hostile) => {
        try {
          const playlist = parsePlaylist(hostile);
          assert.deepEqual(parsePlaylist(renderPlaylist(playlist)), playlist);
        } catch (error) {
          assert.ok(error instanceof PlaylistError, String(error));
        }
      }),
      { numRuns: runs(200, 5000) },
    );
  });
});

test('rendering gives the same lines back', () => {
  assert.equal(renderPlaylist(parsePlaylist(lowLatency)), lowLatency);
  assert.equal(renderPlaylist(parsePlaylist(multivariant)), multivariant);
  const windows = lowLatency.replaceAll('\n', '\r\n');
  assert.equal(renderPlaylist(parsePlaylist(`\uFEFF${windows}`)), lowLatency);
});

suite('attribute lists', () => {
  test('are read with commas in quotes, up to the first fault', () => {
    assert.deepEqual(
      [...parseAttributes('A=1, B="x,y=z" ,C=0xFF,A=2,broken,D=4')],
      [
        ['A', '1'],
        ['B', 'x,y=z'],
        ['C', '0xFF'],
      ],
    );
  });

  const settings: [before: string | undefined, after: string][] = [
    [undefined, 'IV=0x1'],
    ['METHOD=AES-128,URI="a"', 'METHOD=AES-128,URI="a",IV=0x1'],
    ['IV=0x2,URI="a,IV=0x9"', 'IV=0x1,URI="a,IV=0x9"'],
    ['URI="a,IV=0x9"', 'URI="a,IV=0x9",IV=0x1'],
  ];
  for (const [before, after] of settings) {
    test(`one is set in ${before}`, () => assert.equal(setAttribute(before, 'IV', '0x1'), after));
  }
});

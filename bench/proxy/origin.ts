// The origin behind every contestant: a small playlist and a 1 MB segment from memory. Prints its port when it listens.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const segments = Array.from({ length: 6 }, (_, i) => `#EXTINF:2.000,\nnews-${100 + i}.ts\n`).join('');
const playlist = Buffer.from(
  `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:100\n${segments}`,
);
const block = createHash('sha512').update('segment').digest();
const segment = Buffer.alloc(1024 * 1024, block);

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const isPlaylist = request.url?.includes('.m3u8') === true;
  const body = isPlaylist ? playlist : segment;
  response.writeHead(200, {
    'content-type': isPlaylist ? 'application/vnd.apple.mpegurl' : 'video/mp2t',
    'content-length': body.length,
  });
  response.end(body);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

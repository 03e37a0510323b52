// Serves one directory as HLS origins do, in a process of its own that a test can kill. Parameter: the directory. Prints its
// address, then a line for each request.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

const [directory = '.'] = process.argv.slice(2);
const server = createServer(async (request, response) => {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  process.stdout.write(`${path}\n`);
  const file = join(directory, normalize(path));
  try {
    const { size } = await stat(file);
    const type = path.endsWith('.m3u8') ? 'application/vnd.apple.mpegurl' : 'video/mp2t';
    response.writeHead(200, { 'content-type': type, 'content-length': size });
    createReadStream(file)
      .on('error', () => response.destroy())
      .pipe(response);
  } catch {
    response.writeHead(404).end();
  }
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`127.0.0.1:${(server.address() as AddressInfo).port}\n`));
// The test's end of the pipe closes with the test, however that ends.
process.stdin.resume().on('close', () => process.exit(0));

// A well-behaved simulated origin in a process of its own that counts what it is asked. Parameters: its name, then the
// channels. A line on the standard input is answered with the counts so far, as JSON. It knows one token: `token=bad` is 403.

import { createInterface } from 'node:readline';
import { startOrigin } from '../../../src/demo/origin.js';

/** Requests an origin saw, by what they were for. */
export interface OriginCounts {
  readonly streams: number;
  readonly playlists: number;
  readonly objects: number;
  /** FLV viewers that it has now: pulls of edges. */
  readonly open: number;
}

const [name = 'origin', ...channels] = process.argv.slice(2);
const counts = { streams: 0, playlists: 0, objects: 0 };
const origin = await startOrigin({
  name,
  channels,
  mediaSequenceBase: name.length * 1000,
  onRequest: (request, response) => {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    if (path.endsWith('.flv')) counts.streams += 1;
    else if (path.endsWith('.m3u8')) counts.playlists += 1;
    else counts.objects += 1;
    if (!/(^|&)token=bad(&|$)/.test(query) || response === undefined) return undefined;
    response.writeHead(403).end();
    return 'handled';
  },
});
process.stdout.write(`${origin.address}\n`);
createInterface({ input: process.stdin })
  .on('line', () => process.stdout.write(`${JSON.stringify({ ...counts, open: origin.viewers })}\n`))
  // The test's end of the pipe closes with the test, however that ends.
  .on('close', () => process.exit(0));

// A simulated origin in a process of its own, for tests that kill or freeze it. Parameters: its name, then the channels.

import { startOrigin } from '../../src/demo/origin.js';

const [name = 'origin', ...channels] = process.argv.slice(2);
const origin = await startOrigin({ name, channels, mediaSequenceBase: name.length * 1000 });
process.stdout.write(`${origin.address}\n`);
// The test's end of the pipe closes with the test, however that ends.
process.stdin.resume().on('close', () => process.exit(0));

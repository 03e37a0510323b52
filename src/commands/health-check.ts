// The health check of the image, a program of its own since it runs often: ends with 0 when the edge answers at the admin
// listener that the environment and the configuration file name. A flag of `weir serve` it cannot see.

import { loadConfig } from '../config.js';
import { listenerUrl } from '../registrar/edge-url.js';

/** ms; a little less than the image gives it. */
const deadlineMs = 2_500;

try {
  const { admin } = loadConfig({ env: process.env });
  const { ok, status } = await fetch(`${listenerUrl(admin.listen)}/healthz`, {
    signal: AbortSignal.timeout(deadlineMs),
  });
  if (!ok) throw new Error(`${admin.listen} answers ${status}`);
} catch (error) {
  process.stderr.write(`weir: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

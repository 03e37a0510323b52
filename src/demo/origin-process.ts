// A process that is one simulated origin: serves the sample and keeps its channels registered, with drifting load and
// loss. The registration is its own, so that it vanishes with the process. Forked by the demo; ends when that is gone.

import { type ConfigInput, configSchema } from '../config-schema.js';
import { createLogger } from '../log.js';
import { type EndpointInfo, type RegisteredChannels, registerChannels } from '../registrar/registrar.js';
import { drift } from './drift.js';
import { startOrigin } from './origin.js';
import { type OriginMessage, originSettings } from './origin-settings.js';
import { sample } from './sample.js';

const reportEveryMs = 1_000;
/** Renewed three times as often; a killed origin is out after this. */
const leaseMs = 3_000;
/** How long the registry is waited for at the end. */
const goodbyeMs = 1_500;

function tell(message: OriginMessage, then: () => void = () => {}): void {
  if (process.connected) process.send?.(message, then);
  else then();
}

async function run(stop: AbortSignal): Promise<void> {
  const { registry, seed, ...settings } = originSettings.parse(JSON.parse(process.argv[2] ?? ''));
  const { address } = await startOrigin(settings);
  tell({ kind: 'listening', address });
  const report = () => ({ ...drift(Date.now() / 1000, seed), bitrate: sample().bitrate });
  const registered = await register(registry, settings, { address, ...report() }, stop);
  tell({ kind: 'registered' });
  const timer = setInterval(() => registered.update(report()), reportEveryMs);
  await aborted(stop);
  clearInterval(timer);
  await registered.close();
}

function register(
  registry: ConfigInput['registry'],
  { name, channels }: { readonly name: string; readonly channels: readonly string[] },
  info: EndpointInfo,
  signal: AbortSignal,
): Promise<RegisteredChannels> {
  const config = configSchema.parse({ registry, log: { level: 'error', requests: false } });
  const logger = createLogger(config.log).child({ origin: name });
  const options = { prefix: `${name}-`, ttlMs: leaseMs, signal };
  return registerChannels(config, channels, info, logger, options);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

const stop = new AbortController();
function end(): void {
  // The process ends after this time, even if the registry does not answer.
  setTimeout(() => process.exit(0), goodbyeMs);
  stop.abort();
}
process.once('disconnect', end);
// The parent may be gone before the listener above was there.
if (!process.connected) end();
process.once('SIGTERM', end);
// Ctrl-C reaches the whole process group; the parent says when this process ends.
process.on('SIGINT', () => {});

run(stop.signal).then(
  () => process.exit(0),
  (error: unknown) => {
    if (stop.signal.aborted) process.exit(0);
    const reason = error instanceof Error ? error.message : String(error);
    tell({ kind: 'failed', reason }, () => process.exit(1));
  },
);

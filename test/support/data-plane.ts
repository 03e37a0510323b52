// A running data plane on a free port, fed with endpoints by the test.

import { type Config, type ConfigInput, configSchema } from '../../src/config-schema.js';
import type { DataPlane, Identity } from '../../src/data-plane/contract.js';
import { createDataPlane } from '../../src/data-plane/data-plane.js';
import { silentLogger } from '../../src/log.js';
import { createMetrics, type Metrics } from '../../src/metrics.js';
import type { ChannelName, Endpoint, EndpointId } from '../../src/model.js';
import { parseServiceAddress } from '../../src/net-address.js';

/** An endpoint as a registry would have decoded it. The id is `channel/address` unless given. */
export function endpoint(channel: string, address: string, values: Partial<Endpoint> = {}): Endpoint {
  const parsed = parseServiceAddress(address);
  if (parsed === undefined) throw new TypeError(`not a service address: ${address}`);
  return {
    id: `${channel}/${address}` as EndpointId,
    channel: channel as ChannelName,
    address: parsed,
    load: 0.1,
    bitrate: 1000,
    packetLoss: 0,
    version: 1,
    ...values,
  };
}

export interface TestDataPlane {
  readonly plane: DataPlane;
  readonly metrics: Metrics;
  readonly config: Config;
  readonly port: number;
  readonly url: string;
  /** Replaces everything that is registered. */
  register(...endpoints: Endpoint[]): void;
  close(): Promise<void>;
}

export function testConfig(overrides: ConfigInput = {}): Config {
  return configSchema.parse({ listen: '127.0.0.1:0', admin: { listen: '127.0.0.1:0' }, ...overrides });
}

export async function startDataPlane(overrides: ConfigInput = {}, identity?: Identity): Promise<TestDataPlane> {
  const config = testConfig(overrides);
  const metrics = createMetrics();
  const plane = createDataPlane(config, silentLogger, metrics, identity);
  const { port } = await plane.listen();
  let revision = 0;
  return {
    plane,
    metrics,
    config,
    port,
    url: `http://127.0.0.1:${port}`,
    register: (...endpoints) => {
      revision += 1;
      plane.accept({ kind: 'full', revision, state: 'live', endpoints });
    },
    close: () => plane.close(),
  };
}

/** One sample of a metric, by its name and the labels that matter. */
export async function metricValue(
  metrics: Metrics,
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const metric = await metrics.registry.getSingleMetric(name)?.get();
  if (metric === undefined) throw new TypeError(`no such metric: ${name}`);
  return metric.values
    .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
    .reduce((sum, sample) => sum + sample.value, 0);
}

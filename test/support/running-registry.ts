// A registry in ZooKeeper that runs into a recording sink, as the tests of its behaviour use it.

import { type ConfigInput, configSchema } from '../../src/config-schema.js';
import { type Logger, silentLogger } from '../../src/log.js';
import { createRegistry } from '../../src/registry/create.js';
import type { RegistrySink } from '../../src/registry/registry.js';
import { RecordingSink } from './recording-sink.js';
import { waitFor } from './wait.js';

type ZooKeeperInput = NonNullable<NonNullable<ConfigInput['registry']>['zookeeper']>;

export interface RunningRegistry {
  readonly sink: RecordingSink;
  /** Settles when `run` does. */
  readonly ended: Promise<void>;
  /** The registry process. */
  pid(): number;
  stop(): Promise<void>;
}

/** What ends with its test: the part of a TestContext that this needs. */
export interface Owner {
  after(stop: () => Promise<void>): unknown;
}

/** Tells both what it is told. */
function both(a: RegistrySink, b: RegistrySink): RegistrySink {
  return {
    replace(all) {
      const endpoints = [...all];
      a.replace(endpoints);
      b.replace(endpoints);
    },
    put(endpoint, seenAt) {
      a.put(endpoint, seenAt);
      b.put(endpoint, seenAt);
    },
    drop(id, seenAt) {
      a.drop(id, seenAt);
      b.drop(id, seenAt);
    },
    status(state) {
      a.status(state);
      b.status(state);
    },
    note(note) {
      a.note(note);
      b.note(note);
    },
  };
}

/**
 * Starts following until the test ends; sessions are short so that a test can wait for their end.
 *
 * @param reader is told everything before the recording sink is
 */
export function runRegistry(
  owner: Owner,
  settings: ZooKeeperInput,
  logger: Logger = silentLogger,
  reader?: RegistrySink,
): RunningRegistry {
  const { registry } = configSchema.parse({ registry: { zookeeper: { sessionTimeout: '4s', ...settings } } });
  const sink = new RecordingSink();
  const stopping = new AbortController();
  let pid = 0;
  // The process that was started last says so in the log.
  const listening = Object.create(logger, {
    info: {
      value: (fields: { pid?: number }, message: string) => {
        if (fields.pid !== undefined) pid = fields.pid;
        logger.info(fields, message);
      },
    },
  }) as Logger;
  const running = createRegistry(registry, listening).run(
    reader === undefined ? sink : both(reader, sink),
    stopping.signal,
  );
  const stop = async () => {
    stopping.abort();
    await running;
  };
  owner.after(() => stop().catch(() => {}));
  return { sink, ended: running, pid: () => pid, stop };
}

export async function live({ sink }: RunningRegistry, deadline = 60_000): Promise<void> {
  await waitFor(() => sink.state === 'live', { deadline, what: 'the registry to be live' });
}

export async function stale({ sink }: RunningRegistry): Promise<void> {
  await waitFor(() => sink.state === 'stale', { deadline: 60_000, what: 'the registry to be stale' });
}

// `weir lock` and `weir elect`: a lock or a leadership in ZooKeeper, with a program that runs while it is held.

import { constants, hostname } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../config-schema.js';
import { OperatorError } from '../errors.js';
import { watchLeader } from '../fleet/election.js';
import { passedSignals } from '../fleet/guard-messages.js';
import { ProgramGuard } from '../fleet/guarded-program.js';
import { acquireLock, type Lock } from '../fleet/lock.js';
import type { Turn } from '../fleet/queue-order.js';
import { openSession } from '../fleet/session.js';
import { createLogger } from '../log.js';
import { registryLogger } from '../registry/create.js';
import { safe } from './endpoint-lines.js';
import { aborted, print, untilAskedToEnd } from './lifetime.js';
import { addRegistryFlags, addSettingFlags, type CommonFlags, number, requestOf } from './options.js';
import { readSettings } from './settings.js';

interface Flags extends CommonFlags {
  readonly json?: true;
}

interface LockFlags extends Flags {
  readonly timeout?: number;
  readonly shared?: true;
}

const lockExamples = `
Examples:
  weir lock nightly -- ./reindex.sh
  weir lock nightly --timeout 10 -- ./reindex.sh || echo "another machine does it"
  weir lock catalogue --shared -- ./export.sh    any number at once, and never beside one without --shared

The command gets WEIR_LOCK_TOKEN, a number that grows from one holder to the next: give it to what is written to, and let that
refuse a smaller one than it has seen. When the lock is lost, the command and its process group get SIGTERM, then SIGKILL, before
anybody else can have it; so they do when weir is killed or stands still.

Exit code: that of the command (128 + number of the signal that ended it); 75: not got in time, or lost; 126, 127: the command
does not start. With --json events are lines of standard error.`;

const electExamples = `
Examples:
  weir elect encoder                     who leads, a line at each change
  weir elect encoder -- ./encode.sh      runs it while this one leads, again and again

The command gets WEIR_LOCK_TOKEN, and is stopped as that of weir lock is when the leadership is lost. When it ends by itself, so
does weir elect, with its exit code.`;

/** Not got in time, or lost: trying again may help. */
class TryAgain extends OperatorError {
  override readonly exitCode = 75;
}

type Event = { readonly event: string } & Readonly<Record<string, string | number | null>>;

/** Whoever holds it may be asked about. */
const holder = () => JSON.stringify({ host: hostname(), pid: process.pid });

async function withSession(
  { registry, fleet, ...config }: Config,
  work: (session: Awaited<ReturnType<typeof openSession>>, hopeless: AbortSignal) => Promise<void>,
): Promise<void> {
  if (registry.kind !== 'zookeeper')
    throw new OperatorError(`this needs ZooKeeper, and registry.kind is ${registry.kind}`);
  // What is wrong with the connection; how it goes otherwise is no news for who waits for a lock.
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'error' : config.log.level });
  const session = await openSession({ registry, fleet, ...config }, registryLogger(logger));
  const hopeless = new AbortController();
  session.hopeless.then(
    (error) => hopeless.abort(error),
    () => {},
  );
  try {
    await work(session, hopeless.signal);
  } finally {
    await session.close();
  }
}

/** Runs the program under the lock, to its end or that of the lock. */
async function runUnder(
  lock: Lock,
  session: Awaited<ReturnType<typeof openSession>>,
  guard: ProgramGuard,
  command: readonly string[],
) {
  const held = {
    lost: lock.lost,
    isHeld: () => lock.isHeld(),
    heldForMs: () => session.aliveForMs(),
    timeoutMs: session.timeoutMs,
  };
  return await guard.run(command, { WEIR_LOCK_TOKEN: lock.token }, held);
}

/** Passes signals on while `work` runs. */
async function passingSignals<T>(guard: ProgramGuard, work: () => Promise<T>): Promise<T> {
  const listeners = passedSignals.map((name) => ({ name, pass: () => guard.signal(name) }));
  for (const { name, pass } of listeners) process.on(name, pass);
  try {
    return await work();
  } finally {
    for (const { name, pass } of listeners) process.off(name, pass);
  }
}

const codeOf = (code: number | null, signal: NodeJS.Signals | null) =>
  signal === null ? (code ?? 1) : 128 + constants.signals[signal];

const teller =
  ({ json }: Flags, stream: NodeJS.WriteStream) =>
  (event: Event) => {
    if (json) stream.write(`${JSON.stringify(event)}\n`);
  };

async function lock(name: string, command: readonly string[], flags: LockFlags): Promise<void> {
  const { config } = readSettings(requestOf(flags));
  const tell = teller(flags, process.stderr);
  // Before the session: see ProgramGuard.
  const guard = new ProgramGuard();
  let exit = 0;
  try {
    await withSession(config, async (session, hopeless) => {
      let isConnected = false;
      const endNews = session.subscribe(({ kind }) => {
        isConnected = kind === 'connected';
      });
      const late = new AbortController();
      const why = () => (isConnected ? 'another one has it' : 'no session with ZooKeeper');
      const timer =
        flags.timeout === undefined
          ? undefined
          : setTimeout(() => {
              late.abort(new TryAgain(`the lock ${name} was not got in ${flags.timeout} s: ${why()}`));
            }, flags.timeout * 1000);
      const turn: Turn = flags.shared ? 'shared' : 'exclusive';
      const folder = `${config.fleet.root}/locks/${name}`;
      tell({ event: 'waiting', name });
      const held = await untilAskedToEnd(async (asked) => {
        const signal = AbortSignal.any([asked, late.signal, hopeless]);
        try {
          return await acquireLock({ session, folder, turn, data: holder(), signal });
        } catch (error) {
          if (asked.aborted) return undefined;
          throw error;
        }
      }).finally(() => {
        clearTimeout(timer);
        endNews();
      });
      if (held === undefined) {
        exit = 130;
        return;
      }
      tell({ event: 'held', name, token: held.token });
      const { code, signal } = await passingSignals(guard, () => runUnder(held, session, guard, command));
      const wasLost = held.lost.aborted || !held.isHeld();
      tell({ event: wasLost ? 'lost' : 'released', name, token: held.token, code, signal });
      if (wasLost) throw new TryAgain(`the lock ${name} was lost, and the command was stopped`);
      await held.release();
      exit = codeOf(code, signal);
    });
  } finally {
    guard.close();
  }
  if (exit !== 0) process.exit(exit);
}

/** Stands again and again; ends with the program, or when asked to. Undefined: nothing ended by itself. */
async function standFor(
  config: Config,
  name: string,
  command: readonly string[],
  session: Awaited<ReturnType<typeof openSession>>,
  guard: ProgramGuard | undefined,
  stop: AbortSignal,
  tell: (event: Event) => void,
): Promise<number> {
  const folder = `${config.fleet.root}/elections/${name}`;
  for (;;) {
    const held = await acquireLock({ session, folder, data: holder(), signal: stop });
    tell({ event: 'leading', name, token: held.token });
    if (guard === undefined) await Promise.race([aborted(held.lost), aborted(stop)]);
    else {
      const { code, signal } = await runUnder(held, session, guard, command);
      if (!held.lost.aborted && held.isHeld()) {
        await held.release();
        return codeOf(code, signal);
      }
    }
    if (stop.aborted) {
      await held.release();
      throw stop.reason;
    }
    tell({ event: 'lost', name, token: held.token });
  }
}

async function elect(name: string, command: readonly string[], flags: Flags): Promise<void> {
  const { config } = readSettings(requestOf(flags));
  const guard = command.length === 0 ? undefined : new ProgramGuard();
  // Standard output is the program's, where there is one.
  const told = teller(flags, guard === undefined ? process.stdout : process.stderr);
  const tell = (event: Event) => {
    if (guard === undefined && !flags.json)
      print([event.event, event['who'] ?? '', event['token'] ?? ''].join(' ').trim());
    else told(event);
  };
  let exit = 0;
  try {
    await withSession(config, (session, hopeless) =>
      untilAskedToEnd(async (asked) => {
        const stop = AbortSignal.any([asked, hopeless]);
        const endNews =
          guard === undefined
            ? watchLeader(session, `${config.fleet.root}/elections/${name}`, (leader) => {
                if (leader === undefined) tell({ event: 'nobody', name });
                else tell({ event: 'leader', name, who: safe(leader.data), token: leader.token });
              })
            : () => {};
        const onAsked = () => guard?.signal('SIGTERM');
        asked.addEventListener('abort', onAsked, { once: true });
        try {
          exit = await standFor(config, name, command, session, guard, stop, tell);
        } catch (error) {
          if (!asked.aborted) throw error;
        } finally {
          endNews();
        }
      }),
    );
  } finally {
    guard?.close();
  }
  if (exit !== 0) process.exit(exit);
}

/** A name of a lock or an election as it was typed. */
function lockName(text: string): string {
  if (/^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,255}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected a name of letters, digits, `.`, `_`, `:` and `-`.');
}

/** Adds `weir lock` and `weir elect` to the command line. */
export function addLock(program: Command): void {
  const locking = program
    .command('lock')
    .description('run a command under a lock in ZooKeeper, and stop it when the lock is lost')
    .argument('<name>', 'the lock, below fleet.root in ZooKeeper', lockName)
    .argument('<command...>', 'the command and its parameters, after --')
    .option('--timeout <seconds>', 'longest time to wait for the lock (default: for ever)', number(0.1, 86_400))
    .option('--shared', 'beside others with --shared, and never beside one without')
    .option('--json', 'print events as JSON, a line each, to standard error');
  addSettingFlags(addRegistryFlags(locking)).addHelpText('after', lockExamples).action(lock);
  const electing = program
    .command('elect')
    .description('stand for a leader in ZooKeeper, and run a command while leading')
    .argument('<name>', 'the election, below fleet.root in ZooKeeper', lockName)
    .argument('[command...]', 'the command and its parameters, after --')
    .option('--json', 'print events as JSON, a line each: to standard error where there is a command');
  addSettingFlags(addRegistryFlags(electing)).addHelpText('after', electExamples).action(elect);
}

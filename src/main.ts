#!/usr/bin/env node
// The command line: commands and exit codes. 0: fine; 1: it failed; 2: the command line or the settings are wrong; 3: another
// client changed what was to be written, and nothing was written.

import { Command, CommanderError } from 'commander';
import { addAgent } from './commands/agent.js';
import { addChannel } from './commands/channel.js';
import { addChannels } from './commands/channels.js';
import { addConfig } from './commands/config.js';
import { addDemo } from './commands/demo.js';
import { addDrain } from './commands/drain.js';
import { addFleet } from './commands/fleet.js';
import { print } from './commands/lifetime.js';
import { addLock } from './commands/lock.js';
import { addOrigin } from './commands/origin.js';
import { addRegister } from './commands/register.js';
import { addServe } from './commands/serve.js';
import { addSign } from './commands/sign.js';
import { addZooKeeper } from './commands/zookeeper.js';
import { ConfigError } from './config.js';
import { OperatorError, WeirError } from './errors.js';
import { version } from './package.js';

const reading = 'it reads its settings again on SIGHUP (kill -HUP PID), and when its configuration file changes';
const checking = 'weir config --check says whether the settings are fine';
/** What other servers have a command for. */
const otherwise: Readonly<Record<string, string>> = {
  reload: reading,
  check: checking,
  validate: checking,
  start: 'weir serve runs the edge',
  run: 'weir serve runs the edge',
  stop: 'SIGTERM ends it once its players have finished',
};

/** Commander's words for a wrong command line in weir's. */
function explainUsage(text: string): string {
  const advice = otherwise[/^error: unknown command '(\w+)'/.exec(text)?.[1] ?? ''];
  const told = text.replace(/^error: /, 'weir: ');
  return advice === undefined ? told : `${told.trimEnd()}; ${advice}\n`;
}

function createProgram(): Command {
  const program = new Command('weir')
    .description('Edge load balancer and relay for live streams.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    // Flags after the name of a command are that command's: `weir config` and `weir config push` have some of the same name.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(explainUsage(text)) });
  addServe(program);
  addDemo(program);
  addRegister(program);
  addAgent(program);
  addChannels(program);
  addChannel(program);
  addDrain(program);
  addFleet(program);
  addZooKeeper(program);
  addLock(program);
  addConfig(program);
  addOrigin(program);
  addSign(program);
  program
    .command('version')
    .description('print the version')
    .action(() => print(version));
  return program;
}

/** What to do about an address that cannot be listened on. */
const advice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'choose another port or end what holds it',
  EADDRNOTAVAIL: 'choose an address of this machine',
  EACCES: 'choose a port from 1024 on, or run it with the right to take this one',
  ENOTFOUND: 'choose an address of this machine',
};

/** The message for an error that no part handled; with the stack only where it must be weir's own mistake. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall } = error as NodeJS.ErrnoException;
  const told =
    error.constructor === Error ||
    error instanceof WeirError ||
    error instanceof OperatorError ||
    syscall !== undefined;
  if (!told) return error.stack ?? error.message;
  const what = /^(listen|getaddrinfo) /.test(error.message) ? advice[code ?? ''] : undefined;
  return what === undefined ? error.message : `${error.message}; ${what}`;
}

async function main(): Promise<number> {
  // The reader of a pipe may leave first: `weir channels | head`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await createProgram().parseAsync();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const settings = error instanceof ConfigError;
    process.stderr.write(`weir: ${settings ? error.message : explain(error)}\n`);
    if (settings) return 2;
    return error instanceof OperatorError ? error.exitCode : 1;
  }
}

process.exit(await main());

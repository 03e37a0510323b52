// `weir register`: keeps an endpoint of one or several channels in the registry for as long as it runs.

import type { Command } from 'commander';
import { linesOf } from '../lines.js';
import { type RegisteredChannels, type ReportedValues, registerChannels } from '../registrar/registrar.js';
import { aborted, print, printJson, untilAskedToEnd } from './lifetime.js';
import {
  addJsonFlag,
  addLeaseFlags,
  addRegistryFlags,
  addSettingFlags,
  addTreeFlag,
  addValueFlags,
  append,
  type CommonFlags,
  channelName,
  type JsonFlags,
  type LeaseFlags,
  leaseOverrides,
  requestOf,
  serviceAddress,
  type TreeFlags,
  type ValueFlags,
} from './options.js';
import { remindWhile } from './reminder.js';
import { applyReport } from './report-lines.js';
import { settingsWithLogger } from './settings.js';
import { addTraitFlags, flaggedTraits, type TraitFlags } from './trait-flags.js';

interface Flags extends CommonFlags, LeaseFlags, TreeFlags, TraitFlags, ValueFlags, JsonFlags {
  readonly channel: readonly string[];
  readonly address: string;
  readonly exitOnEof?: true;
}

const examples = `
Examples:
  weir register --channel news --address 10.0.0.1:8080 --zookeeper 127.0.0.1:2181
  weir register --channel news --address http://10.0.0.1:8000/live/news --load 0.2 --bitrate 1200
  weir register --channel news --address 10.0.0.1:8080 --admin http://10.0.0.9:8081 --token-file token
  weir register --channel news --channel sport --address 10.0.0.1:8080
  weir register --channel news --address 10.0.0.2:8080 --priority 1 --zone north    only where no other is left
  measure | weir register --channel news --address 10.0.0.1:8080 --exit-on-eof

Standard input takes reports, one JSON object a line with the values that changed, null for unknown:
  {"load":0.5,"bitrate":1200,"packet_loss_rate":0.01}
  {"status":"draining"}

The endpoint stands in the registry until the command ends, and comes back when the registry was lost.`;

/** Applies the lines of standard input until they end. A wrong line is told and changes nothing. */
async function followReports(registered: RegisteredChannels, first: ReportedValues, asked: AbortSignal): Promise<void> {
  let values = first;
  let number = 0;
  // Ends the reading, and lets the process end although somebody keeps the pipe open.
  const stop = () => process.stdin.destroy();
  asked.addEventListener('abort', stop, { once: true });
  try {
    for await (const line of linesOf(process.stdin)) {
      number += 1;
      if (line?.trim() === '') continue;
      const next = line === undefined ? { error: 'too long' } : applyReport(line, values);
      if ('error' in next) {
        process.stderr.write(`weir: line ${number} of standard input: ${next.error}\n`);
        continue;
      }
      values = next;
      registered.update(values);
    }
  } catch (error) {
    if (!asked.aborted) process.stderr.write(`weir: standard input: ${(error as Error).message}\n`);
  } finally {
    asked.removeEventListener('abort', stop);
  }
}

async function register(flags: Flags): Promise<void> {
  const { config, logger } = settingsWithLogger(requestOf(flags, leaseOverrides(flags)));
  const { channel: channels, address, load, bitrate, packetLoss } = flags;
  const { status, ...traits } = flaggedTraits(flags);
  const values = { load, bitrate, packetLoss, status };
  const info = { address, ...values, traits };
  await untilAskedToEnd(async (asked) => {
    let registered: RegisteredChannels;
    try {
      const registering = registerChannels(config, channels, info, logger, { signal: asked, tree: flags.tree });
      registered = await remindWhile(registering, config, logger);
    } catch (error) {
      if (asked.aborted) return;
      throw error;
    }
    const all = [...new Set(channels)];
    for (const [at, path] of registered.paths.entries()) {
      const channel = all[at] ?? '';
      if (flags.json) printJson({ channel, service_address: address, path });
      else print(`registered ${channel} ${address} as ${path}`);
    }
    const reports = followReports(registered, values, asked);
    await (flags.exitOnEof ? Promise.race([reports, aborted(asked)]) : aborted(asked));
    await registered.close();
  });
}

/** Adds `weir register` to the command line. */
export function addRegister(program: Command): void {
  const command = program.command('register').description('keep an endpoint in the registry while this runs');
  command
    .requiredOption(
      '--channel <name>',
      'channel that the endpoint serves; may be repeated',
      (text: string, all?: string[]) => append(channelName(text), all),
    )
    .requiredOption(
      '--address <address>',
      'HOST:PORT, an http(s) URL, or a URL template with {channel} and {rest}',
      serviceAddress,
    );
  addTraitFlags(addValueFlags(command)).option('--exit-on-eof', 'end when standard input ends');
  addLeaseFlags(addTreeFlag(addRegistryFlags(command)), 'admin listener of the edge whose embedded registry it is');
  addJsonFlag(addSettingFlags(command), 'one JSON object a channel once it is registered')
    .addHelpText('after', examples)
    .action(register);
}

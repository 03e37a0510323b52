// `weir sign`: a URL that may be played until it expires.

import { type Command, InvalidArgumentError } from 'commander';
import { parseKeys } from '../access/access.js';
import { signUrl } from '../access/signed-url.js';
import { OperatorError } from '../errors.js';
import { clientNetwork } from '../net-address.js';
import { print, printJson } from './lifetime.js';
import { addJsonFlag, addSettingFlags, type CommonFlags, type JsonFlags, requestOf } from './options.js';
import { readSettings } from './settings.js';

interface Flags extends CommonFlags, JsonFlags {
  /** ms from now. */
  readonly expires: number;
  readonly prefix?: string;
  readonly client?: string;
  readonly viewer?: string;
}

const examples = `
Examples:
  weir sign https://edge.example.com/live/news.m3u8 --expires 2h
  weir sign /live/news.flv --expires 30m --client 203.0.113.7 --viewer user-4711
  weir sign /live/news.m3u8 --expires 12h --prefix /live/     every channel below /live/

The key is the first one of access.keys: set WEIR_ACCESS_KEYS or WEIR_ACCESS_KEYS_FILE, or name the configuration file. A URL
of a channel grants its playlists, segments and streams, over HTTP and WebSocket. Running FLV streams end with it.`;

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Ten years: a longer one is a mistake. */
const maxExpiryMs = 3_650 * 86_400_000;

function period(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (unitsMs[unit] ?? Number.NaN);
  if (ms > 0 && ms <= maxExpiryMs) return ms;
  throw new InvalidArgumentError('Expected a time such as 90s, 30m, 2h or 7d.');
}

function sign(url: string, flags: Flags): void {
  const { access } = readSettings(requestOf(flags)).config;
  const [key] = parseKeys(access.keys ?? '');
  if (key === undefined) {
    throw new OperatorError('there is no key to sign with: set access.keys, or access.keysFile, as the edges have it');
  }
  const { prefix, viewer } = flags;
  const client = flags.client === undefined ? undefined : clientNetwork(flags.client);
  if (prefix !== undefined && !prefix.startsWith('/'))
    throw new OperatorError(`--prefix ${prefix}: a path begins with /`);
  const expiresAt = Math.ceil((Date.now() + flags.expires) / 1_000);
  const signed = signUrl(url, access.parameter, { prefix, expiresAt, client, viewer }, key);
  if (signed === undefined) {
    throw new OperatorError(
      `${url} cannot be signed: expected an http, https, ws or wss URL of an edge, or a path such as /live/news.m3u8`,
    );
  }
  if (flags.json) printJson({ url: signed, expiresAt: new Date(expiresAt * 1_000).toISOString(), key: key.id });
  else print(signed);
}

/** Adds `weir sign` to the command line. */
export function addSign(program: Command): void {
  const command = program
    .command('sign')
    .description('sign a URL, so that whoever has it may play it until it expires')
    .argument('<url>', 'URL of a channel at the edge, or its path')
    .requiredOption('--expires <time>', 'how long it may be played: 90s, 30m, 2h, 7d', period)
    .option('--prefix <path>', 'what may be played: /live/ is all below (default: the channel of the URL)')
    .option('--client <address>', 'the only address that may play it, of IPv6 with its /64 (default: any)')
    .option('--viewer <id>', 'whom it is for; stands in the request log');
  addJsonFlag(addSettingFlags(command)).addHelpText('after', examples).action(sign);
}

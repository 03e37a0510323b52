// Pure: reads the endpoints in a file, or says what is wrong with it. YAML or JSON:
//
//   channels:
//     news:
//       - service_address: http://10.0.0.1:8080
//         load: 0.2
//       - 10.0.0.2:8080
//     sport: 10.0.0.3:8080

import { parseDocument } from 'yaml';
import { z } from 'zod';
import type { ChannelName, Endpoint, EndpointId, ServiceAddress } from '../model.js';
import { endpointFields, readEntry } from './formats/endpoint-schema.js';
import { asObject } from './formats/values.js';
import { parseChannelName } from './names.js';

/** An endpoint without its version. */
export type WrittenEndpoint = Omit<Endpoint, 'version'>;

export interface EndpointsFileLimits {
  readonly endpointsPerChannel: number;
}

/** Faults that are reported; a file may have more. */
const maxFaultsTold = 5;

const entrySchema = z.strictObject(endpointFields);

/** The id of a channel's endpoint at an address: the same in the next state of the file. */
export function writtenEndpoint(
  channel: ChannelName,
  address: ServiceAddress,
  values: Partial<WrittenEndpoint> = {},
): WrittenEndpoint {
  const id = `file/${channel}/${address}` as EndpointId;
  return { load: undefined, bitrate: undefined, packetLoss: undefined, ...values, id, channel, address };
}

/**
 * All endpoints of a file, or none: a file with one fault, or one that is only half written, is not used at all.
 *
 * @throws Error with what is wrong, and where
 */
export function parseEndpointsFile(text: string, limits: EndpointsFileLimits): WrittenEndpoint[] {
  const faults: string[] = [];
  const endpoints: WrittenEndpoint[] = [];
  for (const [name, entries] of Object.entries(channelsOf(text))) {
    const channel = parseChannelName(name);
    if (channel === undefined) {
      faults.push(`channels.${name}: a channel is one path segment of 1 to 255 bytes`);
      continue;
    }
    const list = Array.isArray(entries) ? entries : [entries];
    if (list.length > limits.endpointsPerChannel) {
      faults.push(`channels.${name}: more endpoints than registry.maxEndpointsPerChannel allows`);
      continue;
    }
    const seen = new Set<EndpointId>();
    for (const [index, entry] of list.entries()) {
      const where = `channels.${name}${Array.isArray(entries) ? `.${index}` : ''}`;
      const endpoint = endpointOf(channel, entry, (fault) => faults.push(`${where}: ${fault}`));
      if (endpoint === undefined) continue;
      if (seen.has(endpoint.id)) faults.push(`${where}: ${endpoint.address} stands twice in the channel`);
      seen.add(endpoint.id);
      endpoints.push(endpoint);
    }
  }
  if (faults.length === 0) return endpoints;
  const more = faults.length - maxFaultsTold;
  throw new Error(faults.slice(0, maxFaultsTold).join('; ') + (more > 0 ? `; and ${more} more` : ''));
}

function channelsOf(text: string): Readonly<Record<string, unknown>> {
  // Many programs empty a file before they write it.
  if (text.trim() === '') throw new Error('it is empty; a file without channels says `channels: {}`');
  const file = asObject(parse(text));
  const others = Object.keys(file ?? {}).filter((key) => key !== 'channels');
  if (others.length > 0)
    throw new Error(`unknown: ${others.slice(0, maxFaultsTold).join(', ')}; expected only channels`);
  const channels = asObject(file?.['channels']);
  if (channels === undefined) throw new Error('expected `channels` with a mapping of names to lists of endpoints');
  return channels;
}

/** JSON is YAML too, but a JSON parser is far quicker. */
function parse(text: string): unknown {
  if (text.trimStart().startsWith('{')) {
    try {
      return JSON.parse(text);
    } catch {
      // The YAML parser below reports the fault with its line.
    }
  }
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw new Error(error.message.split('\n', 1)[0] ?? error.message);
  return document.toJS();
}

/** Undefined for a faulty endpoint, and for one that serves nobody (`status: off`). */
function endpointOf(channel: ChannelName, entry: unknown, fault: (text: string) => void): WrittenEndpoint | undefined {
  const parsed = entrySchema.safeParse(typeof entry === 'string' ? { service_address: entry } : entry);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues) fault([path.join('.'), message].filter(Boolean).join(': '));
    return undefined;
  }
  const read = readEntry(parsed.data);
  if ('faults' in read) {
    for (const each of read.faults) fault(each);
    return undefined;
  }
  const { address, traits, eligible, ...values } = read;
  return eligible ? writtenEndpoint(channel, address, { ...traits, ...values }) : undefined;
}

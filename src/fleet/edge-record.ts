// Pure: what an edge says of itself in ZooKeeper, as the data of its node, and the name of that node. What is read was written by
// others: everything has bounds, and what does not fit is left out, never guessed.

import { z } from 'zod';

/** What others may know of an edge. Addresses are URLs as others reach them. */
export interface EdgeRecord {
  readonly version: string;
  /** Processes that serve players; 0: all in one process. */
  readonly workers: number;
  /** When it was started, as ISO 8601. */
  readonly started: string;
  /** Where players reach it. */
  readonly players: string;
  /** Where other edges reach it; undefined: they do not. */
  readonly peers?: string | undefined;
  /** Open connections of players. */
  readonly viewers: number;
  /** Sent to players, in kbit/s. */
  readonly kbps: number;
  /** The settings it has from the fleet. */
  readonly config?: EdgeConfigRecord | undefined;
}

/** What an edge says of the settings that it has from the fleet. */
export interface EdgeConfigRecord {
  readonly revision: string;
  /** Why it does not use those that are wanted, in words. */
  readonly error?: string | undefined;
}

/** Larger data is not looked at. */
const maxRecordChars = 8_192;
const maxErrorChars = 1_000;

const url = z
  .string()
  .max(512)
  .regex(/^https?:\/\/[\x21-\x7e]+$/);
const count = z.int().min(0).max(1_000_000_000);
const schema = z.object({
  version: z.string().min(1).max(64),
  workers: count,
  started: z.iso.datetime(),
  players: url,
  peers: url.optional(),
  viewers: count,
  kbps: count,
  config: z.object({ revision: z.string().max(128), error: z.string().max(maxErrorChars).optional() }).optional(),
});

/** The data of an edge's node. A long error is cut. */
export function encodeEdge(record: EdgeRecord): string {
  const { config } = record;
  const error = config?.error?.slice(0, maxErrorChars);
  return JSON.stringify({ ...record, config: config && { ...config, error } });
}

/** What a node says; undefined: nothing that can be used. Fields of a later version are left out. */
export function decodeEdge(data: string): EdgeRecord | undefined {
  if (data.length > maxRecordChars) return undefined;
  try {
    return schema.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined;
  }
}

const nodeShape = /^([A-Za-z0-9._:-]{1,255})~([0-9a-f]{8})$/;

/** An edge's node: its name, and a part of this run of it alone, which tells two edges of one name apart. */
export interface EdgeNode {
  readonly name: string;
  /** Eight hexadecimal digits, another for each run of an edge. */
  readonly run: string;
}

/** The name of the node of a run. */
export function nodeName({ name, run }: EdgeNode): string {
  return `${name}~${run}`;
}

/** Undefined: not the name of an edge's node. */
export function parseNodeName(text: string): EdgeNode | undefined {
  const [, name, run] = nodeShape.exec(text) ?? [];
  return name === undefined || run === undefined ? undefined : { name, run };
}

/** Whether a child of the folder of edges is the folder of a site. */
export function isSiteName(text: string): boolean {
  return /^(?!\.{1,2}$)[A-Za-z0-9._:-]{1,255}$/.test(text);
}

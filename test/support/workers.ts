// The processes of an edge that was started as a user starts it, and what stands in its metrics.

import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { packageRoot } from '../../src/package.js';
import { waitFor } from './wait.js';
import type { WeirProcess } from './weir.js';

export interface EdgeProcesses {
  readonly workers: readonly number[];
  readonly registry: readonly number[];
}

/** The children of a process, by what they run. */
export function processesOf(pid: number): EdgeProcesses {
  const children = childrenOf(pid).map((child) => ({ child, command: commandOf(child) }));
  const running = (entry: string) =>
    children.filter(({ command }) => command.includes(entry)).map(({ child }) => child);
  return { workers: running('worker-entry'), registry: running('process-entry') };
}

export const workersOf = ({ child }: WeirProcess): readonly number[] =>
  child.pid === undefined ? [] : processesOf(child.pid).workers;

export function isAlive(pid: number): boolean {
  try {
    return stateOf(pid) !== 'Z';
  } catch {
    return false;
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => {
      try {
        return parentOf(candidate) === pid && stateOf(candidate) !== 'Z';
      } catch {
        return false;
      }
    });
}

/** Fields of /proc/PID/stat from the third on: what stands in brackets may contain spaces. */
function statOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
}
const stateOf = (pid: number) => statOf(pid)[0];
const parentOf = (pid: number) => Number(statOf(pid)[1]);

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Players' connections that a process holds, as the system counts them. */
export function connectionsOf(pid: number, edge: WeirProcess): number {
  const { port } = new URL(edge.players);
  const lines = execFileSync('ss', ['-tnpH', 'state', 'established', `( sport = :${port} )`], { encoding: 'utf8' });
  return lines.split('\n').filter((line) => line.includes(`pid=${pid},`)).length;
}

/** A worker that began to serve, as the supervisor told. */
export interface WorkerStart {
  /** Its slot. */
  readonly worker: number;
  readonly pid: number;
  /** Epoch ms. */
  readonly time: number;
}

export function startsOf(edge: WeirProcess): WorkerStart[] {
  // What follows the last line break is not whole yet.
  const lines = edge.log().split('\n').slice(0, -1);
  const told = lines.filter((line) => line.includes('"worker started"'));
  return told.map((line) => {
    const { worker, pid, time } = JSON.parse(line) as { worker: number; pid: number; time: string };
    return { worker, pid, time: Date.parse(time) };
  });
}

/** Resolves with the process in each slot when all of them serve: one that was killed may be the last that was told of. */
export function allServing(edge: WeirProcess, workers = 2): Promise<Map<number, number>> {
  return waitFor(
    () => {
      const slots = new Map(startsOf(edge).map(({ worker, pid }) => [worker, pid]));
      return slots.size === workers && [...slots.values()].every(isAlive) ? slots : undefined;
    },
    { what: `${workers} workers to serve` },
  );
}

/** The sum of a metric's samples with these labels, as `/metrics` shows it. */
export async function scraped(
  edge: WeirProcess,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${edge.admin}/metrics`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Registers an endpoint with the embedded registry of this edge. */
export async function register(edge: WeirProcess, channel: string, address: string, load = 0.1): Promise<void> {
  const path = `/api/v1/channels/${channel}/endpoints/${encodeURIComponent(address.replace(/\W/g, '-'))}`;
  const body = JSON.stringify({ service_address: address, load, bitrate: 1000, packet_loss_rate: 0, ttl: 3_600 });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(edge.admin + path, { method: 'PUT', body, headers });
  if (!answer.ok) throw new Error(`registering failed: ${answer.status} ${await answer.text()}`);
}

/**
 * Waits until no worker answers that the channel is unknown: what is registered reaches each of them a moment later. Asks
 * by an upgrade that is refused here, so that no origin hears of it.
 */
export async function knownToAll(edge: WeirProcess, channel: string): Promise<void> {
  const port = Number(new URL(edge.players).port);
  const refusal = async () => {
    const socket = connect(port, '127.0.0.1');
    const head = `GET /live/${channel}/none.ts HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
    socket.on('error', () => undefined).setEncoding('latin1');
    socket.write(head);
    let answer = '';
    socket.on('data', (text) => {
      answer += text;
    });
    await new Promise((resolve) => socket.once('close', resolve));
    return answer.slice(9, 12);
  };
  for (let quiet = 0; quiet < 3; ) {
    const answers = await Promise.all(Array.from({ length: 40 }, refusal));
    quiet = answers.every((status) => status === '400') ? quiet + 1 : 0;
    if (quiet === 0) await waitFor(async () => (await refusal()) === '400', { what: `${channel} to be known` });
  }
}

/** Milliseconds that a worker's process takes now, on this machine, until it listens to what it is told. */
export async function timeToStart(): Promise<number> {
  const began = performance.now();
  const child = fork(`${packageRoot}dist/src/cluster/worker-entry.js`, [], { serialization: 'advanced' });
  await once(child, 'message');
  const took = performance.now() - began;
  child.kill('SIGKILL');
  return took;
}

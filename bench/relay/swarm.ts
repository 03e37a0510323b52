// Runs the checking swarm of viewers and reads what it found.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cores, type Protocol, path, programs } from './contestants.js';

export interface SwarmResult {
  readonly viewers: number;
  readonly watching: number;
  readonly lost: number;
  readonly framing_errors: number;
  readonly first_error: string;
  readonly back_steps: number;
  readonly gaps: number;
  readonly missing_frames: number;
  readonly seconds: number;
  readonly bytes_per_second: number;
  readonly latency_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly join_ms: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Share of a core. */
  readonly swarm_cpu: number;
}

export interface SwarmOptions {
  readonly viewers: number;
  /** New viewers a second. */
  readonly pace: number;
  /** s */
  readonly warmup: number;
  /** s */
  readonly seconds: number;
  readonly protocol: Protocol;
}

/** `onSteady` is called when all viewers watch and the measurement begins. */
export async function swarm(port: number, options: SwarmOptions, onSteady: () => void): Promise<SwarmResult> {
  const { viewers, pace, warmup, seconds, protocol } = options;
  const words = [port, path, viewers, pace, warmup, seconds, protocol].map(String);
  const child = spawn('taskset', ['-c', String(cores.load), programs.swarm, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let result: SwarmResult | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as { event: string };
    if (event.event === 'steady') onSteady();
    else result = event as unknown as SwarmResult;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (result === undefined) throw new Error(`the swarm ended with ${code} and without a result`);
  return result;
}

/** Less than this share of the stream's bitrate: the contestant, or the load on its other side, did not keep up. */
const enough = 0.95;

/**
 * Says what is wrong with what the viewers got of a stream of `bitrate` bit/s; undefined when nothing is.
 * @param window ms of the stream that come at once: those of the last window may come after the measurement
 */
export function fault(result: SwarmResult, bitrate: number, window: number): string | undefined {
  const share = (result.bytes_per_second * 8) / (bitrate * result.viewers);
  if (result.framing_errors > 0)
    return `${result.framing_errors} framing errors, first: ${result.first_error.slice(0, 60)}`;
  if (result.lost > 0) return `${result.lost} viewers lost their connection`;
  if (result.watching < result.viewers) return `only ${result.watching} of ${result.viewers} watch`;
  if (result.back_steps > 0) return `${result.back_steps} timestamps stepped back`;
  if (result.missing_frames !== 0) return `${result.missing_frames} video frames are missing`;
  if (share < enough - window / 1000 / result.seconds)
    return `only ${Math.round(share * 100)} % of the bitrate arrived`;
  return undefined;
}

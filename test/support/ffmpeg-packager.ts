// A live HLS origin made of real parts: ffmpeg packages the sample in real time, and a file server in a process of its own
// serves what it writes.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/package.js';
import { waitFor } from './wait.js';

const sample = `${packageRoot}src/demo/media/sample.flv`;

export class FfmpegPackager {
  readonly address: string;
  /** Requests by path. */
  readonly counts = new Map<string, number>();
  readonly #directory: string;
  readonly #processes: readonly ChildProcess[];

  private constructor(address: string, directory: string, processes: readonly ChildProcess[]) {
    this.address = address;
    this.#directory = directory;
    this.#processes = processes;
  }

  /** Resolves once `/live/<channel>.m3u8` lists three segments of about two seconds. */
  static async start(channel: string): Promise<FfmpegPackager> {
    const directory = await mkdtemp(join(tmpdir(), 'weir-packager-'));
    const live = join(directory, 'live');
    await mkdir(live);
    const playlist = join(live, `${channel}.m3u8`);
    const ffmpeg = spawn(
      'ffmpeg',
      [
        ...['-hide_banner', '-loglevel', 'error', '-re', '-stream_loop', '-1', '-i', sample, '-c', 'copy', '-f', 'hls'],
        ...['-hls_time', '2', '-hls_list_size', '6', '-hls_flags', 'delete_segments+omit_endlist+temp_file'],
        ...['-hls_segment_filename', join(live, `${channel}-%d.ts`), playlist],
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const entry = `${packageRoot}dist/test/support/file-server-entry.js`;
    const server = spawn(process.execPath, [entry, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: server.stdout });
    const [address] = (await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string];
    const packager = new FfmpegPackager(address, directory, [ffmpeg, server]);
    lines.on('line', (path) => packager.counts.set(path, (packager.counts.get(path) ?? 0) + 1));
    const listsThree = async () =>
      existsSync(playlist) && (await readFile(playlist, 'utf8')).split('#EXTINF').length > 3;
    await waitFor(listsThree, { deadline: 60_000, what: 'three segments' });
    return packager;
  }

  /** kill -9 of all of it, and nothing left behind. */
  async kill(): Promise<void> {
    await Promise.all(
      this.#processes.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }),
    );
    await rm(this.#directory, { recursive: true, force: true });
  }
}

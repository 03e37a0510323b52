// Real origins that are not weir's, fed by ffmpeg: Node-Media-Server, and ffmpeg's own HTTP server.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/package.js';
import { closedPort } from './ports.js';
import { waitFor } from './wait.js';

export interface MediaOrigin {
  readonly address: string;
  /** kill -9 of the server, and the end of what feeds it. */
  kill(): Promise<void>;
}

/** A live test pattern with a tone, a keyframe a second, as H.264 and AAC. */
const pattern = [
  ...['-hide_banner', '-loglevel', 'error', '-re'],
  ...['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=25', '-f', 'lavfi', '-i', 'sine=sample_rate=44100'],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-pix_fmt', 'yuv420p'],
  ...['-c:a', 'aac', '-b:a', '64k', '-f', 'flv'],
];

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function listening(port: number, what: string): Promise<void> {
  await waitFor(
    async () => {
      const socket = connect(port, '127.0.0.1');
      const [event] = await Promise.race([
        once(socket, 'connect').then(() => ['open']),
        once(socket, 'error').then(() => ['closed']),
      ]).catch(() => ['closed']);
      socket.destroy();
      return event === 'open';
    },
    { what },
  );
}

export interface NodeMediaServer {
  /** `127.0.0.1:PORT` of HTTP-FLV and of the API, whose user is `admin` with the password in `passwordFile`. */
  readonly address: string;
  readonly passwordFile: string;
  /** ffmpeg publishes to /live/CHANNEL until it is stopped. */
  publish(channel: string): { stop(): Promise<void> };
  /** SIGSTOP, until `thaw`. */
  freeze(): void;
  thaw(): void;
  /** kill -9 of the server, and the end of what feeds it. */
  kill(): Promise<void>;
}

/** Node-Media-Server with `/live/CHANNEL.flv`. @param notify the URL that it calls */
export async function runNodeMediaServer(notify = ''): Promise<NodeMediaServer> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-nms-'));
  const [rtmp, http] = [await closedPort(), await closedPort()];
  const users = [{ username: 'admin', password: 'a-password', role: 'admin' }];
  const config = {
    bind: '127.0.0.1',
    notify: { url: notify },
    auth: { play: false, publish: false, secret: '', jwt: { secret: 'test', users } },
    rtmp: { port: rtmp },
    http: { port: http },
    store: { path: join(directory, 'data') },
    record: { auto: false, path: join(directory, 'record') },
  };
  const file = join(directory, 'config.json');
  const passwordFile = join(directory, 'password');
  writeFileSync(file, JSON.stringify(config));
  writeFileSync(passwordFile, 'a-password\n');
  const app = `${packageRoot}node_modules/node-media-server/bin/app.js`;
  const server = spawn(process.execPath, [app, '-c', file], { stdio: 'ignore', cwd: directory });
  const feeds: ChildProcess[] = [];
  const kill = async () => {
    await killed(server);
    for (const feed of feeds) await killed(feed);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await listening(http, 'Node-Media-Server');
    await listening(rtmp, "Node-Media-Server's RTMP");
  } catch (error) {
    await kill();
    throw error;
  }
  return {
    address: `127.0.0.1:${http}`,
    passwordFile,
    publish(channel) {
      const feed = spawn('ffmpeg', [...pattern, `rtmp://127.0.0.1:${rtmp}/live/${channel}`], { stdio: 'ignore' });
      feeds.push(feed);
      return { stop: () => killed(feed) };
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    kill,
  };
}

/** Node-Media-Server with `/live/CHANNEL.flv`, to which ffmpeg publishes over RTMP. */
export async function startNodeMediaServer(channel: string): Promise<MediaOrigin> {
  const server = await runNodeMediaServer();
  server.publish(channel);
  return server;
}

/** ffmpeg as its own HTTP server: the stream begins when the one client comes, with timestamps from 0. */
export async function startFfmpegOrigin(): Promise<MediaOrigin> {
  const port = await closedPort();
  const url = `http://127.0.0.1:${port}/live.flv`;
  const server = spawn('ffmpeg', [...pattern, '-listen', '1', url], { stdio: 'ignore' });
  // A look whether it listens would be taken for the one client.
  return { address: `127.0.0.1:${port}`, kill: () => killed(server) };
}

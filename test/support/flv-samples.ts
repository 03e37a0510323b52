// Makes the FLV samples in test/relay/samples from ffmpeg's encoders: `node dist/test/support/flv-samples.js`.
// H.264 and AAC as ffmpeg muxes them; the codecs that older ffmpeg does not put into FLV (HEVC with codec id 12, and
// HEVC, AV1 and Opus with FourCC) are muxed here from the packets that ffprobe prints.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/package.js';
import { flvFile, flvTag } from './flv-bytes.js';

interface Packet {
  readonly codec_type: 'audio' | 'video';
  readonly pts_time: string;
  readonly dts_time: string;
  readonly flags: string;
  readonly data: string;
}
interface Probe {
  readonly streams: readonly { readonly codec_type: string; readonly extradata: string }[];
  readonly packets: readonly Packet[];
}

const samples = join(packageRoot, 'test/relay/samples');
const source = [
  ...['-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=10'],
  ...['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=22050'],
  ...['-t', '2', '-g', '10', '-ac', '1', '-b:a', '16k', '-b:v', '40k', '-pix_fmt', 'yuv420p'],
];
const ffmpeg = (...words: string[]) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...words]);

/** The hex dump that ffprobe prints: an offset, up to 16 bytes, then the same as text. */
function bytesOf(dump: string): Buffer {
  return Buffer.concat(dump.split('\n').map((line) => Buffer.from(line.slice(10, 50).replaceAll(' ', ''), 'hex')));
}

function probe(file: string): Probe {
  const words = ['-v', 'error', '-show_packets', '-show_streams', '-show_data', '-of', 'json', file];
  return JSON.parse(execFileSync('ffprobe', words, { maxBuffer: 1 << 28 }).toString()) as Probe;
}

const ms = (time: string) => Math.round(Number.parseFloat(time) * 1000);
const int24 = (value: number) => Buffer.from([(value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff]);

interface Mux {
  readonly videoHeader: (config: Buffer) => Buffer;
  readonly video: (data: Buffer, key: boolean, composition: number) => Buffer;
  readonly audioHeader: (config: Buffer) => Buffer;
  readonly audio: (data: Buffer) => Buffer;
}

function remux(file: string, mux: Mux): Buffer {
  const { streams, packets } = probe(file);
  const config = (type: string) => bytesOf(streams.find((stream) => stream.codec_type === type)?.extradata ?? '');
  const first = Math.min(...packets.map((packet) => ms(packet.dts_time)));
  const tags = packets.map((packet) => {
    const data = bytesOf(packet.data);
    const at = ms(packet.dts_time) - first;
    if (packet.codec_type === 'audio') return { type: 8, at, body: mux.audio(data) };
    const composition = ms(packet.pts_time) - ms(packet.dts_time);
    return { type: 9, at, body: mux.video(data, packet.flags.startsWith('K'), composition) };
  });
  tags.sort((a, b) => a.at - b.at);
  return flvFile(true, true, [
    flvTag(9, 0, mux.videoHeader(config('video'))),
    flvTag(8, 0, mux.audioHeader(config('audio'))),
    ...tags.map((tag) => flvTag(tag.type, tag.at, tag.body)),
  ]);
}

const aac = {
  audioHeader: (config: Buffer) => Buffer.concat([Buffer.from([0xae, 0]), config]),
  audio: (data: Buffer) => Buffer.concat([Buffer.from([0xae, 1]), data]),
};
const legacyHevc: Mux = {
  ...aac,
  videoHeader: (config) => Buffer.concat([Buffer.from([0x1c, 0, 0, 0, 0]), config]),
  video: (data, key, composition) => Buffer.concat([Buffer.from([key ? 0x1c : 0x2c, 1]), int24(composition), data]),
};
const enhancedHevc: Mux = {
  ...aac,
  videoHeader: (config) => Buffer.concat([Buffer.from([0x90]), Buffer.from('hvc1'), config]),
  video: (data, key, composition) => {
    const type = composition === 0 ? 3 : 1;
    const offset = composition === 0 ? Buffer.alloc(0) : int24(composition);
    return Buffer.concat([Buffer.from([(key ? 0x90 : 0xa0) | type]), Buffer.from('hvc1'), offset, data]);
  },
};
const enhancedAv1Opus: Mux = {
  videoHeader: (config) => Buffer.concat([Buffer.from([0x90]), Buffer.from('av01'), config]),
  video: (data, key) => Buffer.concat([Buffer.from([key ? 0x91 : 0xa1]), Buffer.from('av01'), data]),
  audioHeader: (config) => Buffer.concat([Buffer.from([0x90]), Buffer.from('Opus'), config]),
  audio: (data) => Buffer.concat([Buffer.from([0x91]), Buffer.from('Opus'), data]),
};

const work = mkdtempSync(join(tmpdir(), 'weir-samples-'));
try {
  mkdirSync(samples, { recursive: true });
  const mp4 = (name: string, ...words: string[]) => {
    const file = join(work, name);
    ffmpeg(...source, ...words, file);
    return file;
  };
  const h264 = ['-c:v', 'libx264', '-preset', 'fast', '-bf', '2', '-c:a', 'aac'];
  ffmpeg(...source, ...h264, '-f', 'flv', '-flvflags', 'no_duration_filesize', join(samples, 'h264-aac.flv'));
  ffmpeg(...source, '-vn', '-c:a', 'aac', '-f', 'flv', join(samples, 'aac.flv'));
  const hevc = mp4('hevc.mp4', '-c:v', 'libx265', '-x265-params', 'log-level=error:keyint=10', '-c:a', 'aac');
  writeFileSync(join(samples, 'hevc-legacy-aac.flv'), remux(hevc, legacyHevc));
  writeFileSync(join(samples, 'hevc-enhanced-aac.flv'), remux(hevc, enhancedHevc));
  const av1 = mp4('av1.mp4', '-c:v', 'libaom-av1', '-cpu-used', '8', '-ar', '48000', '-c:a', 'libopus');
  writeFileSync(join(samples, 'av1-opus-enhanced.flv'), remux(av1, enhancedAv1Opus));
  for (const name of ['h264-aac', 'aac', 'hevc-legacy-aac', 'hevc-enhanced-aac', 'av1-opus-enhanced'])
    console.error(name, readFileSync(join(samples, `${name}.flv`)).length);
} finally {
  rmSync(work, { recursive: true, force: true });
}

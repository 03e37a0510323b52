// Frames of a made-up camera and microphone, each picture unlike all others.

import { flvFile, flvTag } from './flv-bytes.js';

export const file = (video = true, audio = true) => flvFile(audio, video, []);
export const videoHeader = flvTag(9, 0, Buffer.from([0x17, 0, 0, 0, 0, 1, 0x42]));
export const audioHeader = flvTag(8, 0, Buffer.from([0xaf, 0, 0x12, 0x10]));
/** What a stream begins with. */
export const opening = () => [file(), videoHeader, audioHeader];

let frames = 0;
export function picture(at: number, key: boolean): Buffer {
  frames += 1;
  const body = Buffer.from([key ? 0x17 : 0x27, 1, 0, 0, 0, 0, 0, 0, 0]);
  body.writeUInt32BE(frames, 5);
  return flvTag(9, at, body);
}
export const key = (at: number) => picture(at, true);
export const inter = (at: number) => picture(at, false);
export const sound = (at: number) => flvTag(8, at, Buffer.from([0xaf, 1, at & 0xff]));

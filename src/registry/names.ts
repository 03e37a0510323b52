// Decides which names can be channels.

import type { ChannelName } from '../model.js';

const maxNameBytes = 255;

/**
 * One path segment of 1 to 255 UTF-8 bytes without control characters, slashes or backslashes, and not `.` or `..`;
 * undefined for anything else. Such a name can stand in a URL, a znode path and a log line.
 */
export function parseChannelName(text: string): ChannelName | undefined {
  if (text === '' || text === '.' || text === '..') return undefined;
  // \p{Cs} are lone surrogates: without a UTF-8 form, the name in a URL could never be the same.
  if (/[\p{Cs}\p{Cc}\p{Zl}\p{Zp}\ufffd/\\]/u.test(text) || Buffer.byteLength(text) > maxNameBytes) return undefined;
  return text as ChannelName;
}

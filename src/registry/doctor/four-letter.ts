// Asks a server of ZooKeeper `srvr`, one of its four-letter words: its version and its mode.

import type { Duplex } from 'node:stream';

/** What a server says of itself. */
export type ServerAnswer =
  | { readonly kind: 'serves'; readonly version: string; readonly mode: string }
  /** It is up, and part of no quorum. */
  | { readonly kind: 'idle' }
  /** It answers no four-letter words. */
  | { readonly kind: 'off' }
  | { readonly kind: 'unreachable'; readonly why: string };

/** Bytes; the answer takes some hundred. */
const maxAnswerChars = 16 * 1024;

/** Pure: what the answer means. */
export function readAnswer(text: string): ServerAnswer {
  if (/not currently serving requests/.test(text)) return { kind: 'idle' };
  const version = /^Zookeeper version: (\d+(?:\.\d+)*)/m.exec(text)?.[1];
  const mode = /^Mode: (\S+)/m.exec(text)?.[1];
  return version === undefined || mode === undefined ? { kind: 'off' } : { kind: 'serves', version, mode };
}

/**
 * @param socket on its way to the server; it is destroyed
 * @param words for what it fails with
 */
export function askServer(
  socket: Duplex,
  deadlineMs: number,
  words: (error: NodeJS.ErrnoException) => string = ({ code, message }) => code ?? message,
): Promise<ServerAnswer> {
  return new Promise((resolve) => {
    let text = '';
    let sent = false;
    const settle = (answer: ServerAnswer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const silent = () => (sent ? readAnswer(text) : ({ kind: 'unreachable', why: 'it does not answer' } as const));
    const timer = setTimeout(() => settle(silent()), deadlineMs);
    const onReady = () => {
      sent = true;
      socket.write('srvr');
    };
    socket.once('connect', onReady);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.length > maxAnswerChars) settle(readAnswer(text));
    });
    socket.on('error', (error) => settle({ kind: 'unreachable', why: words(error) }));
    socket.once('close', () => settle(silent()));
  });
}

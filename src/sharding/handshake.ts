// The proof of `proof.ts` on a socket. Whoever says too much, too late or the wrong thing is left without another word.

import type { Socket } from 'node:net';
import { WeirError } from '../errors.js';
import type { ProofOutcome } from '../metrics.js';
import {
  answererLine,
  callerLine,
  challenge,
  type Ends,
  isAnswerer,
  maxLineBytes,
  newNonce,
  readCaller,
  readChallenge,
} from './proof.js';

/** Why a handshake failed. */
export class HandshakeError extends Error {
  readonly outcome: Exclude<ProofOutcome, 'proven' | 'full'>;

  constructor(outcome: HandshakeError['outcome'], message: string) {
    super(message);
    this.outcome = outcome;
  }
}

/**
 * The caller's part, within `timeoutMs`. Afterwards the socket is paused, and nothing of it was read that is not the proof's.
 *
 * @throws WeirError upstream_connect: the other end is not the edge that is called, or does not know the secret
 */
export async function proveAsCaller(socket: Socket, secret: string, ends: Ends, timeoutMs: number): Promise<void> {
  const lines = new Lines(socket, timeoutMs);
  try {
    const answerers = readChallenge(await lines.next());
    if (answerers === undefined) throw new HandshakeError('refused', 'no edge of weir answers there');
    const exchange = { secret, ends, nonces: { answerer: answerers, caller: newNonce() } };
    socket.write(`${callerLine(exchange)}\n`);
    if (!isAnswerer(await lines.next(), exchange)) throw new HandshakeError('refused', 'it does not prove who it is');
  } catch (error) {
    const { message } = error as Error;
    throw new WeirError('upstream_connect', { detail: `No proof of the edge: ${message}.`, cause: error });
  } finally {
    lines.close();
  }
}

/**
 * The answerer's part, within `timeoutMs`; resolves with the id of the caller. Afterwards the socket is paused.
 *
 * @throws HandshakeError
 */
export async function demandProof(
  socket: Socket,
  secret: string,
  answerer: string,
  timeoutMs: number,
): Promise<string> {
  const lines = new Lines(socket, timeoutMs);
  try {
    const nonce = newNonce();
    socket.write(`${challenge(nonce)}\n`);
    const exchange = readCaller(await lines.next(), { secret, answerer, nonce });
    if (exchange === undefined)
      throw new HandshakeError('refused', 'no proof that it knows the secret and means this edge');
    // It says nothing before it has read this.
    lines.close();
    socket.write(`${answererLine(exchange)}\n`);
    return exchange.ends.caller;
  } finally {
    lines.close();
  }
}

/** Single lines from a socket, one at a time: nobody has anything to say before it was answered. */
class Lines {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #text = '';
  #failure: HandshakeError | undefined;
  #heard: (() => void) | undefined;
  readonly #onData = (chunk: Buffer) => this.#take(chunk);
  readonly #onEnd = () => this.#fail(new HandshakeError('refused', 'the connection ended'));

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#fail(new HandshakeError('late', 'it took too long')), timeoutMs);
    socket.on('data', this.#onData);
    socket.on('error', this.#onEnd);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onEnd);
  }

  /** @throws HandshakeError */
  async next(): Promise<string> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const end = this.#text.indexOf('\n');
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        if (end < this.#text.length - 1) throw new HandshakeError('refused', 'it says more than it was asked');
        this.#text = '';
        return line;
      }
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#socket.pause();
    this.#socket.off('data', this.#onData);
    this.#socket.off('error', this.#onEnd);
    this.#socket.off('end', this.#onEnd);
    this.#socket.off('close', this.#onEnd);
  }

  #take(chunk: Buffer): void {
    if (this.#text.length + chunk.length > maxLineBytes + 1) {
      this.#fail(new HandshakeError('refused', 'it says too much'));
      return;
    }
    this.#text += chunk.toString('latin1');
    if (this.#text.includes('\n')) this.#wake();
  }

  #fail(failure: HandshakeError): void {
    this.#failure ??= failure;
    this.#wake();
  }

  #wake(): void {
    const heard = this.#heard;
    this.#heard = undefined;
    heard?.();
  }
}

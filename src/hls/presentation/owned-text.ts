// Copies of text that is kept longer than the string it was cut from.

/**
 * A copy in memory of its own. V8 represents a piece of a longer string by a reference to it: an entry of a window would
 * keep the whole playlist in memory in which it was first listed.
 */
export function owned(text: string): string {
  return Buffer.from(text).toString();
}

/** The UTF-8 bytes in memory of their own: small buffers are cut from a pool that each of them would keep in memory. */
export function ownedBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

// Text that is kept longer than what it was cut from, and what it takes.

/**
 * A copy that stands on its own. V8 represents what is cut from a longer string, and what is put together from such
 * pieces, by references to it: an entry of a window would keep the whole playlist alive in which it was listed first.
 */
export function owned(text: string): string {
  return Buffer.from(text).toString();
}

/** The same for bytes: small buffers are cut from a pool that each of them would keep alive. */
export function ownedBytes(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

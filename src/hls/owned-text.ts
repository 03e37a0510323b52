// Text that is kept longer than what it was cut from.

/**
 * A copy that stands on its own. V8 represents what is cut from a longer string, and what is put together from such pieces, by
 * references to it: an entry of a window would keep the whole playlist alive in which it was listed first.
 */
export function owned(text: string): string {
  return Buffer.from(text).toString();
}

// Pure: percent-encoded paths of players and origins: which are safe to pass on, and which mean the same.

/** No control or non-ASCII bytes, no backslash, no encoded separators or NUL, no dot segment in any spelling. */
export function isSafePath(path: string): boolean {
  if (/[^\x21-\x7e]|[\\#]|%(?:2f|5c|00)|%(?![0-9a-f]{2})/i.test(path)) return false;
  return !/(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i.test(path);
}

/**
 * One spelling for all that mean the same (RFC 3986, sections 6.2.2.1 and 6.2.2.2): letters, digits and `-._~` are written
 * plainly, other encoded bytes in capitals. What is kept by path is kept by this.
 */
export function canonicalPath(path: string): string {
  if (!path.includes('%')) return path;
  return path.replace(/%([0-9a-f]{2})/gi, (encoded, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\w.~-]/.test(character) ? character : encoded.toUpperCase();
  });
}

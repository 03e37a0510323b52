// Query strings as lists of raw `name=value` pieces: never decoded and encoded again, since an origin may have signed
// them.

/** The pieces of a query without its `?`; empty ones are left out. */
export function pieces(query: string): string[] {
  return query === '' ? [] : query.split('&').filter((piece) => piece !== '');
}

/** The name of a piece, as written. */
export function nameOf(piece: string): string {
  const equals = piece.indexOf('=');
  return equals === -1 ? piece : piece.slice(0, equals);
}

/** The query without the parameters of these names. */
export function without(query: string, names: ReadonlySet<string>): string {
  return pieces(query)
    .filter((piece) => !names.has(nameOf(piece)))
    .join('&');
}

/** `first`, and the pieces of `second` whose names are not in it. */
export function merge(first: string, second: string): string {
  if (second === '') return first;
  const named = new Set(pieces(first).map(nameOf));
  return [...pieces(first), ...pieces(second).filter((piece) => !named.has(nameOf(piece)))].join('&');
}

/** A path with its query, or the bare path when there is none. */
export function join(path: string, query: string): string {
  return query === '' ? path : `${path}?${query}`;
}

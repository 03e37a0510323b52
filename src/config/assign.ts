// Pure: writes new settings into the objects that running parts refer to. It does not import the schema, so that a worker
// starts without it.

/** Makes `target` equal to `source`, keeping every mapping in it that is referred to. */
export function assignInPlace(target: object, source: object): void {
  const [to, from] = [target, source] as [Record<string, unknown>, Record<string, unknown>];
  for (const name of new Set([...Object.keys(to), ...Object.keys(from)])) {
    const [inner, value] = [to[name], from[name]];
    if (isMapping(inner) && isMapping(value)) assignInPlace(inner, value);
    else to[name] = value;
  }
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

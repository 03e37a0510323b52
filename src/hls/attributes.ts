// Attribute lists of HLS tags (RFC 8216, section 4.2): NAME=value, with quoted strings that may contain commas.

const attribute = /\s*([A-Z0-9-]+)=("[^"]*"|[^",]*)\s*(,|$)/y;

/** Name and text, quotes included, in order. Reading stops at the first thing that is no attribute. */
function split(value: string | undefined): [name: string, text: string][] {
  const attributes: [string, string][] = [];
  if (value === undefined) return attributes;
  attribute.lastIndex = 0;
  while (attribute.lastIndex < value.length) {
    const match = attribute.exec(value);
    if (!match) break;
    attributes.push([match[1] ?? '', (match[2] ?? '').trimEnd()]);
  }
  return attributes;
}

/** The attributes by name, quotes removed; of two with one name the first counts. */
export function parseAttributes(value: string | undefined): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [name, text] of split(value)) {
    if (!attributes.has(name)) attributes.set(name, text.startsWith('"') ? text.slice(1, -1) : text);
  }
  return attributes;
}

/** The list with one attribute replaced where it stands, or appended. `text` is written as given, quotes included. */
export function setAttribute(value: string | undefined, name: string, text: string): string {
  const attributes = split(value);
  const at = attributes.findIndex(([present]) => present === name);
  if (at === -1) attributes.push([name, text]);
  else attributes[at] = [name, text];
  return attributes.map((pair) => pair.join('=')).join(',');
}

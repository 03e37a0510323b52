// Attribute lists of HLS tags (RFC 8216, section 4.2): NAME=value, with quoted strings that may contain commas. Any text is
// read in one pass: it comes from a server that is not trusted.

const [tab, space, quote, comma, hyphen, equals] = [0x09, 0x20, 0x22, 0x2c, 0x2d, 0x3d];

/** Name and text, quotes included, in order. Reading stops at the first thing that is no attribute. */
function split(value: string | undefined): [name: string, text: string][] {
  const attributes: [string, string][] = [];
  let at = 0;
  while (value !== undefined && at < value.length) {
    const start = skipBlanks(value, at);
    const nameEnd = skipName(value, start);
    if (nameEnd === start || value.charCodeAt(nameEnd) !== equals) break;
    const from = nameEnd + 1;
    const end = endOfText(value, from);
    if (end === undefined) break;
    attributes.push([value.slice(start, nameEnd), value.slice(from, end).trimEnd()]);
    // Behind the comma, or behind the end.
    at = skipBlanks(value, end) + 1;
  }
  return attributes;
}

/** Where the text of an attribute ends; undefined when what follows is neither a comma nor the end. */
function endOfText(value: string, from: number): number | undefined {
  if (value.charCodeAt(from) === quote) {
    const close = value.indexOf('"', from + 1);
    if (close === -1) return undefined;
    const next = skipBlanks(value, close + 1);
    return next === value.length || value.charCodeAt(next) === comma ? close + 1 : undefined;
  }
  let end = from;
  while (end < value.length && value.charCodeAt(end) !== comma) {
    if (value.charCodeAt(end) === quote) return undefined;
    end += 1;
  }
  return end;
}

function skipBlanks(value: string, from: number): number {
  let at = from;
  while (value.charCodeAt(at) === space || value.charCodeAt(at) === tab) at += 1;
  return at;
}

function skipName(value: string, from: number): number {
  let at = from;
  while (isNameCharacter(value.charCodeAt(at))) at += 1;
  return at;
}

/** A to Z, 0 to 9 and the hyphen. */
function isNameCharacter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39) || code === hyphen;
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

/** Two lists as one. An attribute in both has the value of the second. */
export function mergeAttributes(first: string, second: string): string {
  const attributes = new Map(split(first));
  for (const [name, text] of split(second)) attributes.set(name, text);
  return [...attributes].map((pair) => pair.join('=')).join(',');
}

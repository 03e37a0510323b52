// Pure: sets members of a JSON object in its text. All other bytes stay as they are: numbers that JavaScript would round, the
// order, white space.

interface Member {
  readonly key: string;
  /** The begin and end of its value in the text. */
  readonly from: number;
  readonly to: number;
}

const isSpace = (character: string | undefined) =>
  character === ' ' || character === '\n' || character === '\r' || character === '\t';

function afterSpace(text: string, at: number): number {
  let end = at;
  while (isSpace(text[end])) end += 1;
  return end;
}

/** @param at index of the opening quote */
function afterString(text: string, at: number): number {
  let end = at + 1;
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function afterValue(text: string, at: number): number {
  if (text[at] === '"') return afterString(text, at);
  let depth = 0;
  for (let end = at; end < text.length; ) {
    const character = text[end];
    if (character === '"') {
      end = afterString(text, end);
      continue;
    }
    if (depth === 0 && (character === ',' || character === '}' || isSpace(character))) return end;
    if (character === '{' || character === '[') depth += 1;
    if (character === '}' || character === ']') depth -= 1;
    end += 1;
    if (depth === 0 && (character === '}' || character === ']')) return end;
  }
  return text.length;
}

/** The members of an object in a text that was parsed before. `end`: index of its closing brace. */
function membersOf(text: string): { readonly members: Member[]; readonly end: number } {
  const members: Member[] = [];
  let at = afterSpace(text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const keyEnd = afterString(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const from = afterSpace(text, afterSpace(text, keyEnd) + 1);
    const to = afterValue(text, from);
    members.push({ key, from, to });
    at = afterSpace(text, to);
    if (text[at] === ',') at = afterSpace(text, at + 1);
  }
  return { members, end: at };
}

/** The text as an object; undefined when it is not one. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Sets the members of `values` in the text of a JSON object; new members are added at the end. Of a key that occurs twice, the
 * last one counts, as for every reader. An undefined value changes nothing.
 *
 * @returns undefined when the text is not a JSON object
 */
export function setMembers(text: string, values: Readonly<Record<string, unknown>>): string | undefined {
  if (parseJsonObject(text) === undefined) return undefined;
  let next = text;
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const written = JSON.stringify(value);
    const { members, end } = membersOf(next);
    const member = members.findLast((each) => each.key === key);
    const added = `${members.length === 0 ? '' : ','}${JSON.stringify(key)}:${written}`;
    const at = members.at(-1)?.to ?? end;
    next =
      member === undefined
        ? next.slice(0, at) + added + next.slice(at)
        : next.slice(0, member.from) + written + next.slice(member.to);
  }
  return next;
}

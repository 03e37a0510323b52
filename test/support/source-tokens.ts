// The tokens of a source file of ours, as far as checks of its text need them: a small lexer, not a parser.

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'template' | 'regex' | 'punctuation';
  readonly text: string;
  readonly line: number;
}

const punctuation = ['=>', '?.', '??', '**', '&&', '||', '++', '--', '...'];
/** Behind these a slash begins a regular expression; behind other words and values it divides. */
const operators = new Set(['return', 'typeof', 'case', 'in', 'of', 'void', 'await', 'yield', 'throw', 'else', 'do']);

/**
 * Comments are left out. A template with substitutions is one token `template` with the text before the first one; what is
 * substituted comes as tokens behind it.
 */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  /** Depth of braces at which each open template goes on. */
  const templates: number[] = [];
  let depth = 0;
  let line = 1;
  let at = 0;
  const take = (kind: Token['kind'], end: number) => {
    const text = source.slice(at, end);
    tokens.push({ kind, text, line });
    line += text.split('\n').length - 1;
    at = end;
  };
  /** To the end of the template, or into its next substitution. */
  const takeTemplate = () => {
    let end = at + 1;
    while (source[end] !== '`' && !source.startsWith('${', end)) end += source[end] === '\\' ? 2 : 1;
    const substitutes = source[end] === '$';
    if (substitutes) templates.push(depth);
    take('template', end + (substitutes ? 2 : 1));
  };
  while (at < source.length) {
    const character = source[at] ?? '';
    if (character === '\n') {
      line += 1;
      at += 1;
    } else if (/\s/.test(character)) at += 1;
    else if (source.startsWith('//', at) || (at === 0 && source.startsWith('#!'))) {
      while (at < source.length && source[at] !== '\n') at += 1;
    } else if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at) + 2;
      line += source.slice(at, end).split('\n').length - 1;
      at = end;
    } else if (character === '"' || character === "'") {
      let end = at + 1;
      while (source[end] !== character) end += source[end] === '\\' ? 2 : 1;
      take('string', end + 1);
    } else if (character === '`') takeTemplate();
    else if (character === '}' && templates.at(-1) === depth) {
      templates.pop();
      takeTemplate();
    } else if (character === '/' && beginsRegex(tokens.at(-1))) take('regex', endOfRegex(source, at));
    else if (/[\w$#@]/.test(character)) {
      let end = at + 1;
      while (/[\w$]/.test(source[end] ?? '')) end += 1;
      take(/\d/.test(character) ? 'number' : 'word', end);
    } else {
      if (character === '{') depth += 1;
      if (character === '}') depth -= 1;
      take('punctuation', at + (punctuation.find((one) => source.startsWith(one, at))?.length ?? 1));
    }
  }
  return tokens;
}

function beginsRegex(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === 'punctuation') return ![')', ']', '}'].includes(before.text);
  return before.kind === 'word' && operators.has(before.text);
}

function endOfRegex(source: string, start: number): number {
  let inClass = false;
  let end = start + 1;
  while (inClass || source[end] !== '/') {
    if (source[end] === '\\') end += 1;
    else if (source[end] === '[') inClass = true;
    else if (source[end] === ']') inClass = false;
    end += 1;
  }
  end += 1;
  while (/[a-z]/.test(source[end] ?? '')) end += 1;
  return end;
}

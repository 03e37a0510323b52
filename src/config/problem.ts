// Everything that is wrong with the settings, in words that say what to do.

export interface SettingsProblem {
  /** The setting, or what stands in its place: an unknown key, a variable, a file. */
  readonly path: string;
  /** `FILE:LINE`, a variable or a flag; undefined where the path already says it. */
  readonly origin?: string;
  /** The value as it may be shown; undefined: not at all. */
  readonly value?: string;
  readonly message: string;
}

function line({ path, message, value, origin }: SettingsProblem): string {
  return `  ${path}: ${message}${value === undefined ? '' : `, got ${value}`}${origin === undefined ? '' : ` (${origin})`}`;
}

/** The settings cannot be used. The message lists every problem on a line of its own, and never a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly SettingsProblem[];

  constructor(problems: readonly SettingsProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super([`${count} in the settings`, ...problems.map(line)].join('\n'));
    this.problems = problems;
  }
}

const maxChars = 80;

/** A value for an error message: short, on one line, nothing of a secret. */
export function show(value: unknown, secret: boolean): string {
  if (secret) return '(redacted)';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
}

// Pure: a document of the fleet's configuration in ZooKeeper as given values. Whoever may write to ZooKeeper wrote it: it is bounded
// before it is parsed, and what an edge takes only from its own file, environment and flags is refused.

import type { SettingsSource } from './given.js';
import type { SettingsProblem } from './problem.js';
import { fromYaml } from './sources.js';

/** One document, and how messages call it: its path in ZooKeeper. */
export interface CentreDocument {
  readonly name: string;
  readonly text: string;
}

/** UTF-8 bytes of a document. */
export const maxCentreBytes = 32 * 1024;
/** What makes the parser work: each line, and each of these signs outside whole lines of comment. It takes the square of it. */
const maxSigns = 2_000;
const sign = /[[\]{},:"'!&*?%-]/g;
/** A key in the form `? key`: nested ones take the parser longer than anybody waits. Settings have names and need none. */
const explicitKey = /(?:^|[\s,?:[{-])\?(?=\s|$)/m;
/** Problems that are told of one document. */
const maxProblems = 10;

/** Why a text is not parsed at all; undefined: it may be. */
function unfit(text: string): string | undefined {
  if (Buffer.byteLength(text) > maxCentreBytes) return `more than ${maxCentreBytes / 1024} KiB`;
  const lines = text.split('\n');
  const code = lines.filter((line) => !line.trimStart().startsWith('#'));
  const signs = code.reduce((sum, line) => sum + (line.match(sign)?.length ?? 0), lines.length);
  if (signs > maxSigns)
    return `too much in it: ${signs} lines and signs such as \`:\`, and ${maxSigns} at most are read`;
  if (code.some((line) => explicitKey.test(line))) return 'keys in the form `? key` are not read';
  return undefined;
}

const notHere = (secret: boolean) =>
  `never taken from the fleet${secret ? ', as it is a secret' : ''}: set it in the file or the environment of the edge`;

/** The values of a document, and what is wrong with it. No value of a setting that it may not have is shown. */
export function fromCentre({ name, text }: CentreDocument): SettingsSource {
  const why = unfit(text);
  if (why !== undefined) return { given: [], problems: [{ path: name, message: why }] };
  const { given, problems } = fromYaml(text, name);
  const refused = given
    .filter(({ setting }) => setting.local)
    .map(({ setting: { key, secret }, origin }) => ({ path: key, origin, message: notHere(secret) }));
  return { given: given.filter(({ setting }) => !setting.local), problems: cut([...problems, ...refused], name) };
}

function cut(problems: readonly SettingsProblem[], name: string): readonly SettingsProblem[] {
  if (problems.length <= maxProblems) return problems;
  const more = { path: name, message: `${problems.length - maxProblems} further problems` };
  return [...problems.slice(0, maxProblems), more];
}

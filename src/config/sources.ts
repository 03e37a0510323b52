// Pure: the text of a configuration file, the environment and `--set` as given values.

import { LineCounter, parse, parseDocument } from 'yaml';
import { fromMapping, type Given, type SettingsSource } from './given.js';
import { nearest } from './nearest.js';
import type { SettingsProblem } from './problem.js';
import { type Setting, settings } from './settings.js';

/** Text from a variable or an argument as a value: a text as it stands, a list also separated by commas, else YAML. */
function fromText(setting: Setting, text: string): unknown {
  if (setting.shape === 'text') return text;
  if (setting.shape === 'list' && !text.trimStart().startsWith('[')) {
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }
  try {
    return parse(text);
  } catch {
    return text;
  }
}

/** The configuration file. `name` is how it is called in messages. */
export function fromYaml(text: string, name: string): SettingsSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${name}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      path: at(error.pos[0]),
      message: `not YAML: ${error.message}`,
    }));
    return { given: [], problems };
  }
  let mapping: unknown;
  try {
    mapping = document.toJS();
  } catch (error) {
    // Thrown for aliases that expand without end.
    return { given: [], problems: [{ path: name, message: `not YAML: ${(error as Error).message}` }] };
  }
  return fromMapping(mapping, (path) => {
    const node = path.length === 0 ? document.contents : document.getIn(path, true);
    const range = (node as { range?: readonly number[] | null } | undefined)?.range;
    return range?.[0] === undefined ? name : at(range[0]);
  });
}

/** Variables with the prefix that are not settings: the file's name, and what the tests take. */
const otherVariables = /^WEIR_(CONFIG$|TEST_)/;

/** Kubernetes gives every container such variables for each service, and a service may well be called weir. */
function fromKubernetes(name: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT)(_|$)/.test(name) || /_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name)) return true;
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value);
}

/**
 * The environment. An empty variable counts as not set. An unknown one is a warning: it may belong to a newer version that
 * was rolled back, or to something else that is called weir.
 */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): SettingsSource {
  const byName = new Map([...settings.values()].map((setting) => [setting.env, setting]));
  const given: Given[] = [];
  const warnings: SettingsProblem[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('WEIR_') || text === undefined || text === '') continue;
    const setting = byName.get(name);
    if (setting !== undefined) given.push({ setting, value: fromText(setting, text), origin: name });
    else if (!otherVariables.test(name) && !fromKubernetes(name, text)) {
      const meant = nearest(name, [...byName.keys(), 'WEIR_CONFIG']);
      const advice = meant === undefined ? '`weir config --reference` lists them' : `did you mean ${meant}?`;
      warnings.push({ path: name, message: `no setting has this variable, it is ignored; ${advice}` });
    }
  }
  return { given, problems: [], warnings };
}

/** The `--set key=value` arguments. Secrets are refused: every user of the machine can read a process's arguments. */
export function fromAssignments(assignments: readonly string[]): SettingsSource {
  const given: Given[] = [];
  const problems: SettingsProblem[] = [];
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    const key = equals < 0 ? assignment : assignment.slice(0, equals);
    const setting = settings.get(key);
    if (setting === undefined) {
      const lastWord = key.split('.').at(-1);
      const elsewhere = [...settings.values()].find((known) => known.path.at(-1) === lastWord)?.key;
      const meant = nearest(key, settings.keys()) ?? elsewhere;
      const advice = meant === undefined ? '`weir config --reference` lists them' : `did you mean ${meant}?`;
      problems.push({ path: `--set ${key}`, message: `unknown setting; ${advice}` });
    } else if (setting.secret) {
      const message = `a secret must not stand in the arguments, which others can read; use the variable ${setting.env}, ${setting.key}File or the configuration file`;
      problems.push({ path: `--set ${key}`, message });
    } else if (equals < 0) {
      problems.push({ path: `--set ${key}`, message: `expected --set ${key}=VALUE with ${setting.expected}` });
    } else {
      given.push({ setting, value: fromText(setting, assignment.slice(equals + 1)), origin: '--set' });
    }
  }
  return { given, problems };
}

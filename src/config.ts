// From defaults, file, environment and flags to one frozen Config. The only reader of the configuration file, of the
// files that hold secrets, and of the environment's WEIR_ variables.

import { readFileSync } from 'node:fs';
import { type CentreDocument, fromCentre } from './config/centre.js';
import { fromMapping, type Given, type SettingsSource, toMapping, toProblem } from './config/given.js';
import { ConfigError, type SettingsProblem } from './config/problem.js';
import { settings } from './config/settings.js';
import { fromAssignments, fromEnvironment, fromYaml } from './config/sources.js';
import { type Config, type ConfigInput, configSchema } from './config-schema.js';

export { ConfigError } from './config/problem.js';

/** A flag with a name of its own and the settings it stands for. */
export interface Override {
  /** How messages call it, such as `--listen`. */
  readonly origin: string;
  readonly settings: ConfigInput;
}

export interface ConfigRequest {
  /** What a command sets for itself, beneath all that the user sets. */
  readonly presets?: Override;
  /** The configuration file; default: the environment's WEIR_CONFIG, else none. */
  readonly file?: string | undefined;
  /** What the fleet says in ZooKeeper, the strongest last. */
  readonly centre?: readonly CentreDocument[] | undefined;
  /** `key=value`, each the value of a `--set`. */
  readonly sets?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly overrides?: readonly Override[];
}

export interface EffectiveConfig {
  readonly config: Config;
  /** The values that were set, by key, as they were written. All other settings are at their defaults. */
  readonly given: ReadonlyMap<string, Given>;
  /** Oddities, one per line; never a value, which may be a secret. */
  readonly warnings: readonly string[];
}

function why(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'reading it is not permitted';
  if (code === 'EISDIR') return 'it is a directory';
  return (error as Error).message;
}

function readYaml(file: string | undefined): SettingsSource {
  if (file === undefined) return { given: [], problems: [] };
  try {
    return fromYaml(readFileSync(file, 'utf8'), file);
  } catch (error) {
    return { given: [], problems: [{ path: file, message: `cannot be read: ${why(error)}` }] };
  }
}

/**
 * Gives every secret the content of the file named beside it (`token` that of `tokenFile`), without white space around
 * it. Of the two the one from the stronger source wins; both in one source are a contradiction.
 */
function readSecrets(layers: readonly SettingsSource[], given: ReadonlyMap<string, Given>): SettingsSource {
  const secrets: Given[] = [];
  const problems: SettingsProblem[] = [];
  const rank = (key: string) => layers.findLastIndex((layer) => layer.given.some((item) => item.setting.key === key));
  for (const setting of settings.values()) {
    const named = given.get(`${setting.key}File`);
    if (!setting.secret || named === undefined) continue;
    const [ownRank, fileRank] = [rank(setting.key), rank(named.setting.key)];
    if (ownRank > fileRank) continue;
    const path = named.setting.key;
    if (ownRank === fileRank) {
      problems.push({ path, origin: named.origin, message: `stands beside ${setting.key}; keep one of the two` });
      continue;
    }
    // Anything but a path is for the schema to refuse.
    if (typeof named.value !== 'string') continue;
    try {
      const value = readFileSync(named.value, 'utf8').trim();
      if (value !== '') secrets.push({ setting, value, origin: named.value });
      else problems.push({ path, origin: named.origin, message: `${named.value} is empty` });
    } catch (error) {
      problems.push({ path, origin: named.origin, message: `${named.value} cannot be read: ${why(error)}` });
    }
  }
  return { given: secrets, problems };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

/**
 * The settings in effect, and where each came from: defaults < file < the fleet's documents < environment < `--set` < flags of their own name.
 *
 * @throws ConfigError that lists every problem of every source
 */
export function readConfig({
  presets,
  file,
  centre = [],
  sets = [],
  env = {},
  overrides = [],
}: ConfigRequest): EffectiveConfig {
  const fromOverride = ({ origin, settings: mapping }: Override) => fromMapping(mapping, () => origin);
  const layers: SettingsSource[] = [
    ...(presets === undefined ? [] : [fromOverride(presets)]),
    readYaml(file ?? (env['WEIR_CONFIG'] || undefined)),
    ...centre.map(fromCentre),
    fromEnvironment(env),
    fromAssignments(sets),
    ...overrides.map(fromOverride),
  ];
  const given = new Map(layers.flatMap((layer) => layer.given).map((item) => [item.setting.key, item]));
  const secrets = readSecrets(layers, given);
  const problems = [...layers, secrets].flatMap((layer) => layer.problems);
  const parsed = configSchema.safeParse(toMapping([...given.values(), ...secrets.given]));
  if (!parsed.success) problems.push(...parsed.error.issues.map((issue) => toProblem(issue, given)));
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  const warnings = layers.flatMap((layer) => layer.warnings ?? []).map(({ path, message }) => `${path}: ${message}`);
  return { config: freeze(parsed.data), given, warnings };
}

/** The settings in effect, frozen. See `readConfig`. */
export function loadConfig(request: ConfigRequest): Config {
  return readConfig(request).config;
}

// Pure: which settings differ between two configurations, by what it takes to change them while the edge runs.

import type { Config } from '../config-schema.js';
import { type Reload, type Setting, settings } from './settings.js';

/** Keys of settings, never their values: some are secret. */
export type Changes = Readonly<Record<Reload, readonly string[]>>;

/** The settings that differ, by what it takes to change them while the edge runs. */
export function changes(before: Config, after: Config): Changes {
  const found: Record<Reload, string[]> = { live: [], workers: [], restart: [] };
  for (const setting of settings.values()) {
    if (JSON.stringify(settingValue(before, setting)) !== JSON.stringify(settingValue(after, setting))) {
      found[setting.reload].push(setting.key);
    }
  }
  return found;
}

/** `before` with the values that the named settings have in `after`. */
export function withChanges(before: Config, after: Config, keys: ReadonlySet<string>): Config {
  const result = structuredClone(before);
  for (const setting of settings.values()) {
    if (!keys.has(setting.key)) continue;
    const parent = setting.path
      .slice(0, -1)
      .reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), result);
    const name = setting.path.at(-1);
    if (isObject(parent) && name !== undefined) parent[name] = settingValue(after, setting);
  }
  return result;
}

function settingValue(config: Config, { path }: Setting): unknown {
  return path.reduce<unknown>((inner, name) => (isObject(inner) ? inner[name] : undefined), config);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

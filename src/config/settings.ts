// The settings as a tree with names, types and defaults, read off the schema: what the environment, `--set`, error
// messages and the generated documents are derived from.

import { z } from 'zod';
import { configSchema } from '../config-schema.js';

/** What this file reads of a JSON Schema node. From `kind` on they are annotations of config-schema/kinds.ts. */
interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly kind?: 'duration' | 'size';
  readonly from?: string;
  readonly to?: string;
  readonly secret?: boolean;
  readonly reload?: Reload;
  readonly local?: boolean;
}

/** What a change of a setting takes while the edge runs: nothing, new workers, or a new start. */
export type Reload = 'live' | 'workers' | 'restart';

export interface Setting {
  readonly path: readonly string[];
  /** The path with dots, as `--set` takes it. */
  readonly key: string;
  /** The environment variable that sets it. */
  readonly env: string;
  readonly description: string;
  /** What a value looks like, as a noun phrase: `an integer from 1 to 10`. */
  readonly expected: string;
  /** As a user would write it; undefined: it has none. */
  readonly default: unknown;
  readonly example: unknown;
  readonly secret: boolean;
  readonly reload: Reload;
  /** An edge takes it only from its own file, environment and flags. */
  readonly local: boolean;
  /** How text from the environment or the command line becomes a value. */
  readonly shape: 'text' | 'list' | 'yaml';
}

export interface Section {
  readonly path: readonly string[];
  readonly key: string;
  readonly description: string;
  readonly settings: readonly Setting[];
  readonly sections: readonly Section[];
}

/** The JSON Schema of the configuration file, for editors. */
export const jsonSchema = { ...z.toJSONSchema(configSchema, { io: 'input' }), title: 'Configuration of weir' };

function range(noun: string, node: SchemaNode): string {
  const from = node.minimum === undefined ? '' : ` from ${node.minimum}`;
  // Zod bounds an integer by the largest exact one, which is left out of messages.
  const to = node.maximum === undefined || node.maximum === Number.MAX_SAFE_INTEGER ? '' : ` to ${node.maximum}`;
  return `${noun}${from}${to}`;
}

function describe(node: SchemaNode): string {
  if (node.kind !== undefined) return `a ${node.kind} from ${node.from} to ${node.to}`;
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`;
  if (node.const !== undefined) return String(node.const);
  if (node.anyOf !== undefined) return node.anyOf.map(describe).join(' or ');
  if (node.type === 'integer') return range('an integer', node);
  if (node.type === 'number') return range('a number', node);
  if (node.type === 'boolean') return 'true or false';
  if (node.type === 'array') return 'a list';
  return node.type === 'string' ? 'text' : 'a mapping';
}

function environmentName(path: readonly string[]): string {
  return ['weir', ...path].map((word) => word.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase()).join('_');
}

function shapeOf(node: SchemaNode): Setting['shape'] {
  if (node.type === 'array') return 'list';
  return node.type === 'string' ? 'text' : 'yaml';
}

function toSetting(node: SchemaNode, path: readonly string[], reload: Reload): Setting {
  return {
    path,
    key: path.join('.'),
    env: environmentName(path),
    description: node.description ?? '',
    expected: describe(node),
    default: node.default,
    example: node.examples?.[0],
    secret: node.secret === true,
    reload: node.reload ?? reload,
    local: node.local === true || node.secret === true || (node.reload ?? reload) === 'restart',
    shape: shapeOf(node),
  };
}

function toSection(node: SchemaNode, path: readonly string[], outer: Reload): Section {
  const reload = node.reload ?? outer;
  const children = Object.entries(node.properties ?? {});
  const isSection = (child: SchemaNode) => child.properties !== undefined;
  return {
    path,
    key: path.join('.'),
    description: node.description ?? '',
    settings: children
      .filter(([, child]) => !isSection(child))
      .map(([name, child]) => toSetting(child, [...path, name], reload)),
    sections: children
      .filter(([, child]) => isSection(child))
      .map(([name, child]) => toSection(child, [...path, name], reload)),
  };
}

/** All settings, as they are nested. */
export const settingsTree: Section = toSection(jsonSchema as SchemaNode, [], 'workers');

const flatten = (section: Section): Setting[] => [...section.settings, ...section.sections.flatMap(flatten)];

/** All settings, by key. */
export const settings: ReadonlyMap<string, Setting> = new Map(
  flatten(settingsTree).map((setting) => [setting.key, setting]),
);

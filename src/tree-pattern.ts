// Pure: a pattern of the paths of channels and endpoints in ZooKeeper, such as
// `/dubbo/{channel}/providers/{endpoint}`.

import type { ChannelName } from './model.js';

/** One variable of a pattern, and the fixed names below it up to the next one. */
export interface Step {
  /** `any` matches every name, which is not used. */
  readonly variable: 'channel' | 'endpoint' | 'any';
  /** Empty, or starts with a slash: `/providers`. */
  readonly suffix: string;
}

export interface TreePattern {
  /** As in the settings. */
  readonly text: string;
  /** The node above the first variable: `/channels`, or `/`. */
  readonly base: string;
  readonly steps: readonly Step[];
  /** The channel of every endpoint, where the pattern has no `{channel}`. */
  readonly channel: ChannelName | undefined;
  /** The number of steps from the base to a channel's node: the node above the endpoints, else the last one. */
  readonly channelDepth: number;
  /** Whether the data of that node are read: they may be an endpoint, or defaults for the endpoints below. */
  readonly readsChannel: boolean;
}

/** Names in one pattern. Each costs a level of reads. */
const maxSegments = 16;

/** The rule for names of channels (src/registry/names.ts), without the length in bytes. */
const channelName = /^(?!\.{1,2}$)[^\p{Cs}\p{Cc}\p{Zl}\p{Zp}\ufffd/\\]{1,255}$/u;

const variableOf = (segment: string): string | undefined => /^\{([a-zA-Z][\w-]*)\}$/.exec(segment)?.[1];

/** Why a path cannot be a pattern, whatever its variables are. */
function shapeProblem(text: string, segments: readonly string[]): string | undefined {
  if (!text.startsWith('/')) return 'expected a path such as /channels/{channel}/{endpoint}';
  if (segments.some((segment) => segment === '')) return 'expected a path without an empty name and a slash at its end';
  if (segments.length > maxSegments) return `expected at most ${maxSegments} names`;
  for (const segment of segments) {
    if (segment === '.' || segment === '..' || /[\p{Cc}\p{Cs}\s]/u.test(segment))
      return `"${segment}" cannot be the name of a node`;
    if (/[{}]/.test(segment) && variableOf(segment) === undefined)
      return `expected {name} alone instead of "${segment}"`;
  }
  return segments[0] === 'zookeeper' ? "/zookeeper is ZooKeeper's own" : undefined;
}

/** Why these variables, in their order, do not describe channels and endpoints. */
function variablesProblem(variables: readonly string[], channel: string | undefined): string | undefined {
  const count = (name: string) => variables.filter((each) => each === name).length;
  const [channels, endpoints] = [count('channel'), count('endpoint')];
  if (channels > 1 || endpoints > 1) return 'expected {channel} and {endpoint} once';
  if (channels === 0 && channel === undefined) return 'expected {channel} in it, or the name of its channel beside it';
  if (channels === 1 && channel !== undefined) return 'expected {channel} in it or a channel beside it, not both';
  if (channel !== undefined && !channelName.test(channel)) return `"${channel}" cannot name a channel`;
  if (channels === 0 && endpoints === 0) return 'expected {endpoint} in it';
  if (endpoints === 1 && variables.at(-1) !== 'endpoint') return 'expected {endpoint} behind all other variables';
  if (endpoints === 0 && variables.at(-1) !== 'channel') return 'expected {channel} or {endpoint} as its last variable';
  return undefined;
}

/**
 * @param channel the name of the only channel, for a pattern without `{channel}`
 * @returns the pattern, or what is wrong with it
 */
export function compilePattern(text: string, channel?: string): TreePattern | string {
  const segments = text.slice(1).split('/');
  const variables = segments.flatMap((segment) => variableOf(segment) ?? []);
  const problem = shapeProblem(text, segments) ?? variablesProblem(variables, channel);
  if (problem !== undefined) return problem;
  const first = segments.findIndex((segment) => variableOf(segment) !== undefined);
  const steps: Step[] = [];
  for (const segment of segments.slice(first)) {
    const variable = variableOf(segment);
    const last = steps.pop();
    if (variable === undefined) steps.push({ ...(last as Step), suffix: `${last?.suffix}/${segment}` });
    else {
      if (last !== undefined) steps.push(last);
      steps.push({ variable: variable === 'channel' || variable === 'endpoint' ? variable : 'any', suffix: '' });
    }
  }
  const hasEndpoint = steps.at(-1)?.variable === 'endpoint';
  const channelDepth = hasEndpoint ? steps.length - 1 : steps.length;
  const above = steps[channelDepth - 1];
  return {
    text,
    base: `/${segments.slice(0, first).join('/')}`,
    steps,
    channel: channel as ChannelName | undefined,
    channelDepth,
    // Other folders may contain any data: only the node with the channel's name may have the channel's data.
    readsChannel: !hasEndpoint || (above?.variable === 'channel' && above.suffix === ''),
  };
}

/** The nodes whose data are read, as segments of the pattern; undefined stands for a variable. */
function readNodes({ text, steps, channelDepth, readsChannel }: TreePattern): (readonly (string | undefined)[])[] {
  const segments = text
    .slice(1)
    .split('/')
    .map((segment) => (variableOf(segment) === undefined ? segment : undefined));
  const hasEndpoint = channelDepth < steps.length;
  if (!hasEndpoint || !readsChannel) return [segments];
  // The channel's node is directly above the endpoint's variable.
  return [segments, segments.slice(0, segments.lastIndexOf(undefined))];
}

/** Whether both patterns could read the same node, whose endpoints would then exist twice. */
export function overlap(a: TreePattern, b: TreePattern): boolean {
  return readNodes(a).some((one) =>
    readNodes(b).some(
      (other) =>
        one.length === other.length &&
        one.every((name, i) => name === undefined || other[i] === undefined || name === other[i]),
    ),
  );
}

/** The path and all above it, from the first; of `/` none. */
export function withAncestors(path: string): string[] {
  if (path === '/') return [];
  const paths: string[] = [];
  for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) paths.push(path.slice(0, end));
  return [...paths, path];
}

/** The path of a child. */
export function below(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

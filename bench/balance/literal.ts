// Whether a policy means "the lowest load and packet loss" literally where reports are fresh and static, and no evidence says that
// its own picks move them.

import type { EdgePolicy, PolicyModule, View } from './contract.js';
import { seeded } from './random.js';

type Row = readonly [load: unknown, loss: unknown];

interface Check {
  readonly name: string;
  readonly rows: readonly Row[];
  /** Endpoints that may be picked, and the part of the picks that has to go there. */
  readonly wanted: readonly number[];
  readonly least: number;
  readonly picks: number;
  /** Requests at a time, and how long one lasts, in seconds. */
  readonly concurrency?: number;
  readonly lasts?: number;
}

export interface LiteralResult {
  readonly name: string;
  readonly share: number;
  readonly least: number;
  readonly passed: boolean;
}

const three: readonly Row[] = [
  [0.75, 0.02],
  [0.1, 0],
  [0.5, 0],
];

const checks: readonly Check[] = [
  { name: 'the first pick of three', rows: three, wanted: [1], least: 1, picks: 1 },
  { name: '200 short requests in turn', rows: three, wanted: [1], least: 0.99, picks: 200 },
  {
    name: '0.30 before 0.32',
    rows: [
      [0.3, 0],
      [0.32, 0],
      [0.6, 0],
    ],
    wanted: [0],
    least: 0.99,
    picks: 20,
  },
  {
    name: 'less loss at equal load',
    rows: [
      [0.4, 0.02],
      [0.4, 0.05],
      [0.4, 0],
    ],
    wanted: [2],
    least: 0.99,
    picks: 50,
  },
  {
    name: 'some load before 5 % loss',
    rows: [
      [0.2, 0.05],
      [0.3, 0],
      [0.9, 0],
    ],
    wanted: [1],
    least: 0.99,
    picks: 50,
  },
  { name: '50 at once', rows: three, wanted: [1], least: 0.9, picks: 500, concurrency: 50, lasts: 0.06 },
  {
    name: 'values that are none never win',
    rows: [
      [Number.NaN, 0],
      [-1, 0],
      [7, 0],
      [undefined, undefined],
      ['0.1', 0],
      [0.5, Number.NaN],
      [0.1, 0],
    ],
    wanted: [6],
    least: 0.99,
    picks: 50,
  },
  { name: 'a single endpoint', rows: [[1, 1]], wanted: [0], least: 1, picks: 5 },
  {
    name: 'equals: any',
    rows: [
      [0, 0],
      [0, 0],
      [0, 0],
    ],
    wanted: [0, 1, 2],
    least: 1,
    picks: 30,
  },
];

export function literal(module: PolicyModule): readonly LiteralResult[] {
  const results = checks.map((check) =>
    judge(
      check.name,
      check.least,
      mean(20, (seed) => run(check, module, seed)),
    ),
  );
  return [
    ...results,
    judge(
      'the next pick follows a swap',
      0.98,
      mean(50, (seed) => swap(module, seed)),
    ),
  ];
}

function judge(name: string, least: number, share: number): LiteralResult {
  return { name, share, least, passed: share >= least };
}

function mean(seeds: number, run: (seed: number) => number): number {
  let sum = 0;
  for (let seed = 1; seed <= seeds; seed += 1) sum += run(seed);
  return sum / seeds;
}

function begin(module: PolicyModule, rows: readonly Row[], seed: number): { views: View[]; policy: EdgePolicy } {
  const views = rows.map(
    ([load, loss], id): View => ({
      id,
      server: id,
      // As a hostile registration would send them.
      load: load as number,
      packet_loss_rate: loss as number,
      bitrate: 1200,
      version: 1,
      receivedAt: 0,
      joinedAt: 0,
    }),
  );
  const policy = module({ edgeId: 0, edges: 1, rng: seeded(seed) });
  for (const view of views) policy.onReport?.(view, 0);
  return { views, policy };
}

function pickOf(policy: EdgePolicy, views: readonly View[], now: number): View {
  const view = views[policy.pick(views, now)];
  if (view === undefined) throw new RangeError('the policy picked nobody');
  return view;
}

function run(
  { rows, wanted, picks, concurrency = 1, lasts = 0.05 }: Check,
  module: PolicyModule,
  seed: number,
): number {
  const { views, policy } = begin(module, rows, seed);
  const open: { readonly view: View; readonly until: number }[] = [];
  let hits = 0;
  let now = 0;
  for (let i = 0; i < picks; i += 1) {
    now += 0.06 / concurrency;
    while (open[0] !== undefined && open[0].until <= now) {
      const { view, until } = open.shift() ?? open[0];
      policy.onDone?.(view, until, { durationSec: lasts, ok: true });
    }
    const view = pickOf(policy, views, now);
    policy.onStart?.(view, now);
    open.push({ view, until: now + lasts });
    if (wanted.includes(view.id)) hits += 1;
  }
  return hits / picks;
}

function swap(module: PolicyModule, seed: number): number {
  const { views, policy } = begin(
    module,
    [
      [0.1, 0],
      [0.5, 0],
    ],
    seed,
  );
  let now = 0;
  for (let i = 0; i < 10; i += 1) {
    now += 0.3;
    const view = pickOf(policy, views, now);
    policy.onStart?.(view, now);
    policy.onDone?.(view, now + 0.05, { durationSec: 0.05, ok: true });
  }
  for (const [i, load] of [0.9, 0.2].entries()) {
    const view = views[i];
    if (view === undefined) continue;
    now += 0.1;
    Object.assign(view, { load, version: view.version + 1, receivedAt: now });
    policy.onReport?.(view, now);
  }
  return pickOf(policy, views, now + 0.05).id === 1 ? 1 : 0;
}

// The failover as a table of every state and every event, and what holds whatever happens in whatever order.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { WeirError } from '../../../src/errors.js';
import { next } from '../../../src/relay/source/failover.js';
import {
  awaitsKeyframe,
  awaitsPicture,
  candidateOf,
  currentOf,
  demandOf,
  type Effect,
  type FailoverEvent,
  type FailoverState,
  graceOf,
  pauseOf,
  type RegistrationStatus,
  wasLive,
} from '../../../src/relay/source/failover-state.js';
import { noTrouble, type Trouble } from '../../../src/relay/source/trouble.js';

type Pull = string;
const refused = new WeirError('upstream_status');
const cut = new WeirError('upstream_cut');
const nobodyThere = new WeirError('no_endpoint');

/** A pull that has just begun to deliver, at 0 ms. */
const trouble: Trouble = noTrouble;
const choosing = { step: 'choosing' } as const;
const trying = { step: 'trying', pull: 'B' } as const;
const pausing = { step: 'pausing', forMs: 250 } as const;

const states: Record<string, FailoverState<Pull>> = {
  idle: { phase: 'idle' },
  'starting, choosing': { phase: 'starting', search: choosing, trouble, lastError: undefined },
  'starting, trying B': { phase: 'starting', search: trying, trouble, lastError: refused },
  'starting, pausing': { phase: 'starting', search: pausing, trouble, lastError: undefined },
  'live A': { phase: 'live', pull: 'A', trouble },
  ...Object.fromEntries(
    (['deregistered', 'moved', 'draining', 'no_keyframe'] as const).flatMap((cause) =>
      [choosing, trying, pausing].map((search) => {
        const state = { phase: 'leaving', pull: 'A', cause, search, trouble } as const;
        return [shown(state), state];
      }),
    ),
  ),
  'holding for cut, choosing': { phase: 'holding', cause: 'cut', search: choosing, trouble },
  'holding for cut, trying B': { phase: 'holding', cause: 'cut', search: trying, trouble },
  'holding for cut, pausing': { phase: 'holding', cause: 'cut', search: pausing, trouble },
  over: { phase: 'over' },
};

const failed = (pull: Pull, isFinal = false) =>
  ({ on: 'failed', pull, fault: 'cut', error: cut, isFinal }) as const satisfies FailoverEvent<Pull>;
const registry = (current: RegistrationStatus, isCandidateRegistered: boolean) =>
  ({ on: 'registry', current, isCandidateRegistered }) as const satisfies FailoverEvent<Pull>;
const events: Record<string, FailoverEvent<Pull>> = {
  start: { on: 'start' },
  'C is picked': { on: 'picked', pull: 'C' },
  'nobody is there': { on: 'nobody', error: nobodyThere, mayPass: false },
  'nobody for a moment': { on: 'nobody', error: new WeirError('worker_lost'), mayPass: true },
  'B is ready': { on: 'ready', pull: 'B' },
  'A fails': failed('A'),
  'A ends for all': failed('A', true),
  'B fails': failed('B'),
  'A has no keyframe': { on: 'overdue', pull: 'A' },
  'B has no keyframe': { on: 'overdue', pull: 'B' },
  'a keyframe': { on: 'keyframe' },
  'a new picture': { on: 'picture' },
  'both stay registered': registry('registered', true),
  'only A stays registered': registry('registered', false),
  'only B stays registered': registry('deregistered', true),
  'none stays registered': registry('deregistered', false),
  'the channel moves, B with it': registry('moved', true),
  'the channel moves away from B': registry('moved', false),
  'A drains': registry('draining', true),
  'the pause is over': { on: 'pause_over' },
  close: { on: 'close' },
};

/** A state in words; the trouble has tests of its own. */
function shown(state: FailoverState<Pull>): string {
  const search = 'search' in state ? state.search : undefined;
  const cause = 'cause' in state ? ` for ${state.cause}` : '';
  const pull = currentOf(state) === undefined ? '' : ` ${currentOf(state)}`;
  const looks = search === undefined ? '' : `, ${search.step}${search.step === 'trying' ? ` ${search.pull}` : ''}`;
  return `${state.phase}${pull}${cause}${looks}`;
}
function done(effect: Effect<Pull>): string {
  switch (effect.do) {
    case 'choose':
      return `choose${effect.besides === undefined ? '' : ` but ${effect.besides}`}${effect.retryOf === undefined ? '' : ' again'}`;
    case 'leave':
      return `leave ${effect.pull}: ${effect.outcome}`;
    case 'splice':
      return `splice ${effect.pull}${effect.cause === undefined ? '' : ` for ${effect.cause}`}`;
    case 'hold':
      return `hold for ${effect.cause}`;
    case 'end':
      return `end${effect.error === undefined ? '' : `: ${effect.error.code}`}`;
    case 'pardon':
      return 'pardon';
    default:
      return `${effect.do} ${effect.pull}`;
  }
}

/** By state: what each event makes of it. An event that is not named changes nothing. */
const table: Record<string, Record<string, string>> = {
  idle: {
    start: 'starting, choosing: choose',
    'C is picked': 'idle: leave C: abandoned',
    close: 'over: end',
  },
  'starting, choosing': {
    'C is picked': 'starting, trying C',
    'nobody is there': 'over: end: no_endpoint',
    'nobody for a moment': 'starting, pausing: pardon',
    close: 'over: end',
  },
  'starting, trying B': {
    'C is picked': 'starting, trying B: leave C: abandoned',
    'B is ready': 'live B: splice B',
    'B has no keyframe': 'live B: splice B',
    'B fails': 'starting, choosing: blame B; choose again',
    'only A stays registered': 'starting, choosing: leave B: abandoned; choose',
    'none stays registered': 'starting, choosing: leave B: abandoned; choose',
    'the channel moves away from B': 'starting, choosing: leave B: abandoned; choose',
    close: 'over: leave B: abandoned; end',
  },
  'starting, pausing': {
    'C is picked': 'starting, pausing: leave C: abandoned',
    ...whateverIsRegistered('starting, choosing: choose'),
    'the pause is over': 'starting, choosing: choose',
    close: 'over: end',
  },
  'live A': {
    'C is picked': 'live A: leave C: abandoned',
    'A fails': 'holding for cut, choosing: blame A; hold for cut; choose',
    'A ends for all': 'over: end: upstream_cut',
    'A has no keyframe': 'leaving A for no_keyframe, choosing: choose but A',
    'a new picture': 'live A',
    ...gone('leaving A', ', choosing: choose'),
    close: 'over: leave A: success; end',
  },
  ...leaving('deregistered'),
  ...leaving('moved'),
  ...leaving('draining'),
  'leaving A for no_keyframe, choosing': {
    'C is picked': 'leaving A for no_keyframe, trying C',
    'nobody is there': 'live A',
    'nobody for a moment': 'live A',
    'A fails': 'holding for no_keyframe, choosing: blame A; hold for no_keyframe',
    'A ends for all': 'over: end: upstream_cut',
    'a keyframe': 'live A',
    'a new picture': 'leaving A for no_keyframe, choosing',
    ...gone('leaving A', ', choosing'),
    close: 'over: leave A: success; end',
  },
  'leaving A for no_keyframe, trying B': {
    'C is picked': 'leaving A for no_keyframe, trying B: leave C: abandoned',
    'B is ready': 'live B: leave A: stall; splice B for no_keyframe',
    'B has no keyframe': 'live B: leave A: stall; splice B for no_keyframe',
    'A fails': 'holding for no_keyframe, trying B: blame A; hold for no_keyframe; consider B',
    'A ends for all': 'over: leave B: abandoned; end: upstream_cut',
    'B fails': 'leaving A for no_keyframe, choosing: blame B; choose but A again',
    'a keyframe': 'live A: leave B: abandoned',
    'a new picture': 'leaving A for no_keyframe, trying B',
    'only A stays registered': 'leaving A for no_keyframe, choosing: leave B: abandoned; choose but A',
    ...goneWithB(),
    close: 'over: leave A: success; leave B: abandoned; end',
  },
  'leaving A for no_keyframe, pausing': {
    'C is picked': 'leaving A for no_keyframe, pausing: leave C: abandoned',
    'A fails': 'holding for no_keyframe, choosing: blame A; hold for no_keyframe; choose',
    'A ends for all': 'over: end: upstream_cut',
    'a keyframe': 'live A',
    'a new picture': 'leaving A for no_keyframe, pausing',
    'both stay registered': 'leaving A for no_keyframe, choosing: choose but A',
    'only A stays registered': 'leaving A for no_keyframe, choosing: choose but A',
    ...gone('leaving A', ', choosing: choose'),
    'the pause is over': 'leaving A for no_keyframe, choosing: choose but A',
    close: 'over: leave A: success; end',
  },
  'holding for cut, choosing': {
    'C is picked': 'holding for cut, trying C',
    'nobody is there': 'holding for cut, pausing: pardon',
    'nobody for a moment': 'holding for cut, pausing: pardon',
    close: 'over: end',
  },
  'holding for cut, trying B': {
    'C is picked': 'holding for cut, trying B: leave C: abandoned',
    'B is ready': 'live B: splice B for cut',
    'B has no keyframe': 'live B: splice B for cut',
    'B fails': 'holding for cut, choosing: blame B; choose again',
    'only A stays registered': 'holding for cut, choosing: leave B: abandoned; choose',
    'none stays registered': 'holding for cut, choosing: leave B: abandoned; choose',
    'the channel moves away from B': 'holding for cut, choosing: leave B: abandoned; choose',
    close: 'over: leave B: abandoned; end',
  },
  'holding for cut, pausing': {
    'C is picked': 'holding for cut, pausing: leave C: abandoned',
    ...whateverIsRegistered('holding for cut, choosing: choose'),
    'the pause is over': 'holding for cut, choosing: choose',
    close: 'over: end',
  },
  over: { 'C is picked': 'over: leave C: abandoned' },
};

/** The same for the causes that come from the registry. */
function leaving(cause: 'deregistered' | 'moved' | 'draining'): Record<string, Record<string, string>> {
  const choose = cause === 'draining' ? 'choose but A' : 'choose';
  const now = `leaving A for ${cause}`;
  return {
    [`${now}, choosing`]: {
      'C is picked': `${now}, trying C`,
      'nobody is there': `${now}, pausing: pardon`,
      'nobody for a moment': `${now}, pausing: pardon`,
      'A fails': `holding for ${cause}, choosing: blame A; hold for ${cause}`,
      'A ends for all': 'over: end: upstream_cut',
      'a new picture': `${now}, choosing`,
      'both stay registered': 'live A',
      'only A stays registered': 'live A',
      ...gone('leaving A', ', choosing'),
      close: 'over: leave A: success; end',
    },
    [`${now}, trying B`]: {
      'C is picked': `${now}, trying B: leave C: abandoned`,
      'B is ready': `live B: leave A: success; splice B for ${cause}`,
      'B has no keyframe': `live B: leave A: success; splice B for ${cause}`,
      'A fails': `holding for ${cause}, trying B: blame A; hold for ${cause}; consider B`,
      'A ends for all': 'over: leave B: abandoned; end: upstream_cut',
      'B fails': `${now}, choosing: blame B; ${choose} again`,
      'a new picture': `${now}, trying B`,
      'both stay registered': 'live A: leave B: abandoned',
      'only A stays registered': 'live A: leave B: abandoned',
      ...goneWithB(),
      close: 'over: leave A: success; leave B: abandoned; end',
    },
    [`${now}, pausing`]: {
      'C is picked': `${now}, pausing: leave C: abandoned`,
      'A fails': `holding for ${cause}, choosing: blame A; hold for ${cause}; choose`,
      'A ends for all': 'over: end: upstream_cut',
      'a new picture': `${now}, pausing`,
      'both stay registered': 'live A',
      'only A stays registered': 'live A',
      ...gone('leaving A', ', choosing: choose'),
      'the pause is over': `${now}, choosing: ${choose}`,
      close: 'over: leave A: success; end',
    },
  };
}
/** A is registered no longer, and no other pull is tried. */
function gone(state: string, rest: string): Record<string, string> {
  return {
    'only B stays registered': `${state} for deregistered${rest}`,
    'none stays registered': `${state} for deregistered${rest}`,
    'the channel moves, B with it': `${state} for moved${rest}`,
    'the channel moves away from B': `${state} for moved${rest}`,
    'A drains': `${state} for draining${rest.replace(/choose$/, 'choose but A')}`,
  };
}
function goneWithB(): Record<string, string> {
  return {
    'only B stays registered': 'leaving A for deregistered, trying B',
    'none stays registered': 'leaving A for deregistered, choosing: leave B: abandoned; choose',
    'the channel moves, B with it': 'leaving A for moved, trying B',
    'the channel moves away from B': 'leaving A for moved, choosing: leave B: abandoned; choose',
    'A drains': 'leaving A for draining, trying B',
  };
}
function whateverIsRegistered(outcome: string): Record<string, string> {
  const names = Object.keys(events).filter((name) => events[name]?.on === 'registry');
  return Object.fromEntries(names.map((name) => [name, outcome]));
}

describe('what each event makes of each state', () => {
  assert.deepEqual(Object.keys(table).sort(), Object.keys(states).sort());
  for (const [name, state] of Object.entries(states)) {
    test(name, () => {
      for (const [what, event] of Object.entries(events)) {
        const { state: after, effects } = next(state, event, 100);
        const outcome = effects.length === 0 ? shown(after) : `${shown(after)}: ${effects.map(done).join('; ')}`;
        const expected = table[name]?.[what] ?? name;
        assert.equal(outcome, expected, `${what} amid "${name}"`);
        if (table[name]?.[what] === undefined) assert.equal(after, state, `${what} changes nothing amid "${name}"`);
      }
    });
  }
});

describe('for how long viewers are held', () => {
  const running = { ...trouble, grace: { since: 0, isOver: false } };
  const ran = { ...trouble, grace: { since: 0, isOver: true } };
  const ending = 'over: end: no_endpoint';
  const rows: [FailoverState<Pull>, FailoverEvent<Pull>, string][] = [
    [{ phase: 'holding', cause: 'cut', search: pausing, trouble: running }, { on: 'grace_over' }, ending],
    [
      { phase: 'holding', cause: 'cut', search: trying, trouble: running },
      { on: 'grace_over' },
      'over: leave B: abandoned; end: no_endpoint',
    ],
    [
      { phase: 'leaving', pull: 'A', cause: 'deregistered', search: pausing, trouble: running },
      { on: 'grace_over' },
      'over: leave A: success; end: no_endpoint',
    ],
    // What delivers may prove itself yet, ...
    [{ phase: 'live', pull: 'A', trouble: running }, { on: 'grace_over' }, 'live A'],
    [
      { phase: 'leaving', pull: 'A', cause: 'moved', search: trying, trouble: running },
      { on: 'grace_over' },
      'leaving A for moved, trying B',
    ],
    // ... and what only asks to be left goes on, though nobody else is found.
    [
      { phase: 'leaving', pull: 'A', cause: 'draining', search: choosing, trouble: ran },
      events['nobody is there'] as never,
      'leaving A for draining, pausing: pardon',
    ],
    // When it fails, only those are tried who did not fail yet.
    [{ phase: 'holding', cause: 'cut', search: choosing, trouble: ran }, events['nobody is there'] as never, ending],
    [
      { phase: 'holding', cause: 'cut', search: choosing, trouble: ran },
      events['nobody for a moment'] as never,
      ending,
    ],
  ];
  for (const [state, event, expected] of rows) {
    test(`${shown(state)}, ${event.on}: ${expected}`, () => {
      const { state: after, effects } = next(state, event, 10_000);
      assert.equal(effects.length === 0 ? shown(after) : `${shown(after)}: ${effects.map(done).join('; ')}`, expected);
    });
  }

  test('runs from the loss, or from when the endpoint left the registry, and not anew for what follows', () => {
    const live: FailoverState<Pull> = { phase: 'live', pull: 'A', trouble };
    assert.equal(graceOf(next(live, failed('A'), 700).state), 700);
    const left = next(live, registry('deregistered', false), 700).state;
    assert.equal(graceOf(left), 700);
    assert.equal(graceOf(next(left, failed('A'), 900).state), 700);
    assert.equal(
      graceOf(next(live, registry('moved', false), 700).state),
      undefined,
      'another worker delivers at once',
    );
  });

  test('begins again after a pull that was proven, by new pictures or by a long life, and only after such a one', () => {
    const onTrial: FailoverState<Pull> = { phase: 'live', pull: 'A', trouble: { ...running, liveSince: 1_000 } };
    assert.equal(graceOf(next(onTrial, failed('A'), 5_000).state), 0);
    assert.equal(graceOf(next(onTrial, failed('A'), 11_000).state), 11_000);
    let shownNew: FailoverState<Pull> = onTrial;
    for (let count = 0; count < 5; count += 1) {
      assert.equal(awaitsPicture(shownNew), true);
      shownNew = next(shownNew, { on: 'picture' }, 2_000).state;
    }
    assert.deepEqual([graceOf(shownNew), awaitsPicture(shownNew)], [undefined, false]);
  });

  test('is not spared by pictures of an endpoint that left the registry', () => {
    let state: FailoverState<Pull> = next(
      { phase: 'live', pull: 'A', trouble },
      registry('deregistered', false),
      100,
    ).state;
    for (let count = 0; count < 5; count += 1) state = next(state, { on: 'picture' }, 200).state;
    assert.equal(graceOf(state), 100);
    assert.equal(graceOf(next(state, registry('registered', false), 300).state), undefined);
  });
});

test('an endpoint that shows no picture has proven itself by a long life too, when it leaves the registry', () => {
  const sound = { phase: 'live', pull: 'A', trouble: { ...trouble, grace: { since: 0, isOver: true } } } as const;
  const { state, effects } = next(sound, registry('deregistered', false), 11_000);
  assert.deepEqual(effects.map(done), ['pardon', 'choose']);
  assert.equal(graceOf(state), 11_000, 'the viewers are held for a grace of their own');
});

test('those who failed before a long life are pardoned, not who failed now', () => {
  const { effects } = next({ phase: 'live', pull: 'A', trouble }, failed('A'), 10_000);
  assert.deepEqual(effects.map(done), ['pardon', 'blame A', 'hold for cut', 'choose']);
});

test('pauses grow to two seconds, and are short again after a pull that was proven', () => {
  let state: FailoverState<Pull> = { phase: 'holding', cause: 'cut', search: choosing, trouble };
  const pauses: unknown[] = [];
  for (let count = 0; count < 6; count += 1) {
    state = next(state, { on: 'nobody', error: nobodyThere, mayPass: false }, 0).state;
    pauses.push(pauseOf(state));
    state = next(state, { on: 'pause_over' }, 0).state;
  }
  assert.deepEqual(pauses, [250, 500, 1_000, 2_000, 2_000, 2_000]);
  state = next(state, { on: 'picked', pull: 'A' }, 0).state;
  state = next(state, { on: 'ready', pull: 'A' }, 0).state;
  state = next(state, failed('A'), 20_000).state;
  state = next(state, { on: 'nobody', error: nobodyThere, mayPass: false }, 20_000).state;
  assert.equal(pauseOf(state), 250);
});

test('the first viewers hear of what failed last, and not of there being nobody left', () => {
  const tried = next(states['starting, trying B'] as FailoverState<Pull>, failed('B'), 0).state;
  const { effects } = next(tried, { on: 'nobody', error: nobodyThere, mayPass: false }, 0);
  assert.deepEqual(effects.map(done), ['end: upstream_cut']);
});

test('more is asked of a successor the less it is needed', () => {
  const demands = Object.entries(states).filter(([, state]) => candidateOf(state) !== undefined);
  assert.deepEqual(
    demands.map(([name, state]) => [name, demandOf(state), wasLive(state), awaitsKeyframe(state)]),
    [
      ['starting, trying B', 'startable', false, false],
      ['leaving A for deregistered, trying B', 'live_edge', true, false],
      ['leaving A for moved, trying B', 'live_edge', true, false],
      ['leaving A for draining, trying B', 'live_edge', true, false],
      ['leaving A for no_keyframe, trying B', 'live_edge', true, true],
      ['holding for cut, trying B', 'settled', true, false],
    ],
  );
});

describe('in any order of events', () => {
  /** Plays the source: answers what is asked, and keeps the books. */
  class Books {
    state: FailoverState<number> = { phase: 'idle' };
    readonly open = new Set<number>();
    readonly ends: (WeirError | undefined)[] = [];
    /** What viewers heard last. */
    delivery: 'nothing' | 'spliced' | 'held' = 'nothing';
    now = 0;
    /** Somebody can be picked. */
    isThere = true;
    #pulls = 0;

    tell(event: FailoverEvent<number>): void {
      const queue = [event];
      for (let head = queue.shift(); head !== undefined; head = queue.shift()) {
        if (head.on === 'failed') this.open.delete(head.pull);
        const { state, effects } = next(this.state, head, this.now);
        this.state = state;
        for (const effect of effects) {
          const answer = this.#carryOut(effect);
          if (answer !== undefined) queue.push(answer);
        }
      }
      this.#check();
    }

    #carryOut(effect: Effect<number>): FailoverEvent<number> | undefined {
      switch (effect.do) {
        case 'choose':
          if (!this.isThere) return { on: 'nobody', error: nobodyThere, mayPass: false };
          this.#pulls += 1;
          this.open.add(this.#pulls);
          return { on: 'picked', pull: this.#pulls };
        case 'leave':
          assert.ok(this.open.delete(effect.pull), 'only what is open is left, and once');
          return undefined;
        case 'splice':
          assert.equal(effect.cause === undefined, this.delivery === 'nothing', 'only the first has no cause');
          assert.equal(currentOf(this.state), effect.pull);
          this.delivery = 'spliced';
          return undefined;
        case 'hold':
          assert.equal(this.delivery, 'spliced', 'viewers are held once for each loss');
          this.delivery = 'held';
          return undefined;
        case 'end':
          this.ends.push(effect.error);
          return undefined;
        default:
          return undefined;
      }
    }

    #check(): void {
      const { state } = this;
      const kept = [currentOf(state), candidateOf(state)].filter((pull) => pull !== undefined);
      assert.deepEqual([...this.open].sort(), kept.sort(), 'no pull is forgotten, none is kept that ended');
      assert.equal(new Set(kept).size, kept.length, 'no pull follows itself');
      assert.ok(this.ends.length === (state.phase === 'over' ? 1 : 0), 'the end is told once');
      if ('search' in state) assert.notEqual(state.search.step, 'choosing', 'what is asked is answered');
      if (state.phase === 'live' || state.phase === 'leaving') assert.equal(this.delivery, 'spliced');
      if (state.phase === 'holding') {
        assert.equal(this.delivery, 'held');
        assert.notEqual(graceOf(state), undefined, 'nobody is held without an end in sight');
      }
    }
  }

  const steps = fc.array(fc.record({ what: fc.nat(15), isThere: fc.boolean(), passed: fc.nat(6_000) }), {
    maxLength: 60,
  });

  function play(run: readonly { what: number; isThere: boolean; passed: number }[]): Books {
    const books = new Books();
    books.tell({ on: 'start' });
    for (const step of run) {
      books.isThere = step.isThere;
      books.now += step.passed;
      const current = currentOf(books.state) ?? -1;
      const candidate = candidateOf(books.state) ?? -2;
      const fails = (pull: number, isFinal = false) =>
        ({ on: 'failed', pull, fault: 'cut', error: cut, isFinal }) as const;
      const possible: FailoverEvent<number>[] = [
        { on: 'ready', pull: candidate },
        { on: 'ready', pull: current },
        fails(current),
        fails(candidate),
        fails(current, step.passed < 500),
        { on: 'overdue', pull: current },
        { on: 'overdue', pull: candidate },
        { on: 'keyframe' },
        { on: 'picture' },
        { on: 'registry', current: 'registered', isCandidateRegistered: step.isThere },
        { on: 'registry', current: 'deregistered', isCandidateRegistered: step.isThere },
        { on: 'registry', current: 'moved', isCandidateRegistered: step.isThere },
        { on: 'registry', current: 'draining', isCandidateRegistered: step.isThere },
        { on: 'pause_over' },
        { on: 'grace_over' },
        step.passed < 100 ? { on: 'close' } : { on: 'start' },
      ];
      books.tell(possible[step.what] as FailoverEvent<number>);
    }
    return books;
  }

  test('no pull is forgotten, and viewers hear what fits together', () => {
    fc.assert(
      fc.property(steps, (run) => void play(run)),
      { numRuns: 500 },
    );
  });

  test('a stream can always go on as long as there is somebody, and ends when there is nobody', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (run, isThere) => {
        const books = play(run);
        const { phase } = books.state;
        const hadViewers = wasLive(books.state);
        books.isThere = isThere;
        const fails = (pull: number) => books.tell({ on: 'failed', pull, fault: 'cut', error: cut, isFinal: false });
        // Whoever delivers goes, those on trial turn out as they do, and all the time in the world passes.
        const current = currentOf(books.state);
        if (current !== undefined) fails(current);
        for (let count = 0; count < 4 && currentOf(books.state) === undefined; count += 1) {
          books.tell({ on: isThere ? 'pause_over' : 'grace_over' });
          const candidate = candidateOf(books.state);
          if (candidate === undefined) continue;
          if (isThere) books.tell({ on: 'ready', pull: candidate });
          else fails(candidate);
        }
        if (isThere && phase !== 'over') assert.equal(books.state.phase, 'live');
        if (!isThere && hadViewers) assert.equal(books.state.phase, 'over');
      }),
      { numRuns: 500 },
    );
  });
});

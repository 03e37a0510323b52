// Many edges choose among servers from reports that are old and the same for all. Deterministic: a scenario, a policy and a seed
// give the same result every time.

import type { PolicyModule, View } from './contract.js';
import type { Edge, Pull, Session } from './fleet.js';
import { Measure, type Result } from './measure.js';
import { drawIndex, exponential, gaussian, seeded, zipf } from './random.js';
import type { Scenario, Workload } from './scenario.js';
import { type Report, Server } from './server.js';
import { Timeline } from './timeline.js';
import { Traffic } from './traffic.js';

/** Before and after a ramp a few requests are left, so that there are picks to judge. */
const LEAST_GROWN = 0.005;

export function simulate(scenario: Scenario, policy: PolicyModule, seed: number): Result {
  return new Simulation(scenario, policy, seed).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #time = new Timeline();
  readonly #servers: readonly Server[];
  readonly #edges: readonly Edge[];
  readonly #measure: Measure;
  readonly #arrivals: () => number;
  readonly #durations: () => number;
  readonly #reports: () => number;
  readonly #various: () => number;
  readonly #others: () => number;
  readonly #edgeWeights: readonly number[];
  readonly #traffic: Traffic;
  /** Servers of each channel. */
  readonly #replicas: readonly (readonly number[])[];
  /** Sessions on the server that will die, until it does. */
  readonly #doomed = new Set<Session>();
  #rateFactor = 1;

  constructor(scenario: Scenario, policy: PolicyModule, seed: number) {
    this.#scenario = scenario;
    const root = seeded(seed * 7919 + 17);
    const stream = () => seeded(root() * 2 ** 32);
    this.#arrivals = stream();
    this.#durations = stream();
    this.#traffic = new Traffic(scenario, this.#durations);
    this.#reports = stream();
    this.#various = stream();
    const { capacity, endpoints, loss } = scenario;
    this.#servers = Array.from(
      { length: endpoints },
      (_, i) => new Server(i, capacity?.[i % capacity.length] ?? 1, loss[i] ?? 0),
    );
    const absent = scenario.join && this.#servers[scenario.join.index];
    if (absent) absent.alive = false;
    const { count, replicas } = scenario.channels ?? { count: 1, replicas: endpoints };
    this.#edges = Array.from({ length: scenario.edges }, (_, i) => this.#edge(i, policy, stream(), count));
    this.#others = stream();
    this.#edgeWeights = zipf(scenario.edges, scenario.edgeSkew);
    this.#replicas = Array.from({ length: count }, () => this.#someServers(replicas));
    this.#measure = new Measure(scenario, this.#servers);
  }

  run(): Result {
    const scenario = this.#scenario;
    const capacity = this.#servers.reduce((sum, server) => sum + (server.alive ? server.capacity : 0), 0);
    const kinds = scenario.mix.map((work) => ({ work, rate: this.#traffic.rate(work, capacity) }));
    this.#prefill(kinds);
    for (const { work, rate } of kinds) this.#arrive(work, () => rate * this.#rateFactor, undefined);
    this.#flash(kinds);
    for (const [at, factor] of scenario.rateSteps) {
      this.#time.at(at, () => {
        this.#rateFactor = factor;
      });
    }
    if (scenario.background) this.#drift(scenario.background);
    this.#every(scenario.warmup, scenario.sample, () => {
      this.#measure.sample(this.#time.now);
      if (scenario.affinity) this.#measure.sticks(this.#edges.reduce((sum, edge) => sum + edge.stuckTo.size, 0));
    });
    if (scenario.join) this.#join(scenario.join);
    if (scenario.die) this.#die(scenario.die);
    this.#time.runUntil(scenario.warmup + scenario.duration);
    return this.#measure.result();
  }

  #edge(index: number, module: PolicyModule, rng: () => number, channels: number): Edge {
    const { delayMin, delayMax, edges, edgesHint, affinity } = this.#scenario;
    const truth = (server: number) => {
      const it = this.#servers[server];
      return { load: it?.utilisation ?? 0, loss: it?.loss ?? 0 };
    };
    return {
      index,
      policy: module({
        edgeId: index,
        edges: edgesHint ? edges : undefined,
        affinityMargin: affinity?.margin,
        rng,
        truth,
        ownPart: () => this.#ownPart(),
      }),
      views: Array.from({ length: channels }, () => []),
      delay: delayMin + (delayMax - delayMin) * this.#various() * 0.5,
      pulls: new Map(),
      stuckTo: new Map(),
      last: -1,
    };
  }

  #ownPart(): number {
    let own = 0;
    let all = 0;
    for (const { used, background, capacity } of this.#servers) {
      own += used;
      all += used + background * capacity;
    }
    return all > 0 ? own / all : 0;
  }

  /** Part of our traffic that there is now. */
  #grown(): number {
    const { ramp } = this.#scenario;
    if (ramp === undefined) return 1;
    const [begins, peak, ends] = ramp;
    const { now } = this.#time;
    const part = now < peak ? (now - begins) / (peak - begins) : (ends - now) / (ends - peak);
    return Math.min(1, Math.max(LEAST_GROWN, part));
  }

  #someServers(count: number): number[] {
    const all = this.#servers.map((_, i) => i);
    if (count >= all.length) return all;
    return Array.from({ length: count }, () => all.splice(Math.floor(this.#others() * all.length), 1)[0] ?? 0);
  }

  #drawEdge(random: () => number): Edge {
    const { edges, edgeSkew } = this.#scenario;
    const index = edgeSkew === 0 ? Math.floor(random() * edges) : drawIndex(random, this.#edgeWeights);
    const edge = this.#edges[index];
    if (edge === undefined) throw new RangeError(`no edge ${index}`);
    return edge;
  }

  #drawChannel(): number {
    return this.#scenario.channels === undefined ? 0 : drawIndex(this.#others, this.#traffic.popularity);
  }

  #every(first: number, interval: number, action: () => void): void {
    const tick = () => {
      action();
      this.#time.at(this.#time.now + interval, tick);
    };
    this.#time.at(first, tick);
  }

  /** Registers all servers at all edges and puts the long sessions on them that a running fleet would have. */
  #prefill(kinds: readonly { work: Workload; rate: number }[]): void {
    const live = this.#servers.filter((server) => server.alive);
    const cumulated: number[] = [];
    for (const server of live) cumulated.push((cumulated.at(-1) ?? 0) + server.capacity);
    const placed: { server: Server; edge: Edge; channel: number; duration: number; cost: number }[] = [];
    for (const { work, rate } of this.#scenario.channels?.shared ? [] : kinds) {
      if (work.mean <= 20) continue;
      for (let i = Math.round(rate * work.mean); i > 0; i -= 1) {
        const channel = this.#drawChannel();
        const own = this.#replicas[channel] ?? [];
        const drawn = live[drawIndex(this.#various, cumulated)];
        const kept = own.length === this.#servers.length ? drawn : this.#servers[this.#anyOf(own)];
        if (kept === undefined) continue;
        const edge = this.#drawEdge(this.#various);
        const duration = exponential(this.#durations, work.mean);
        placed.push({ server: kept, edge, channel, duration, cost: this.#traffic.drawCost(channel) });
      }
    }
    for (const server of live) {
      const mine = placed.reduce((sum, one) => sum + (one.server === server ? one.cost : 0), 0);
      server.version = 1;
      const load = Math.min(1, Math.round((mine / server.capacity) * 1000) / 1000);
      for (const edge of this.#edges) this.#deliver(edge, server, { load, loss: server.loss, version: 1 });
      this.#reportFrom(server, this.#reports() * this.#scenario.period);
    }
    for (const { server, edge, channel, duration, cost } of placed) {
      const view = edge.views[channel]?.find((one) => one.server === server.index);
      if (view !== undefined) this.#place(edge, channel, view, duration, cost, undefined);
    }
  }

  #anyOf(indices: readonly number[]): number {
    return indices[Math.floor(this.#others() * indices.length)] ?? 0;
  }

  #arrive(work: Workload, rate: () => number, channel: number | undefined, until = Number.POSITIVE_INFINITY): void {
    const next = () => this.#time.at(this.#time.now + exponential(this.#arrivals, 1 / rate()), arrival);
    const arrival = () => {
      if (this.#time.now > until) return;
      if (this.#scenario.ramp && this.#arrivals() > this.#grown()) {
        next();
        return;
      }
      const edge = this.#drawEdge(this.#arrivals);
      const wanted = channel ?? this.#drawChannel();
      if (this.#scenario.channels?.shared) this.#view(edge, wanted, this.#traffic.drawDuration(work));
      else this.#request(edge, wanted, this.#traffic.drawDuration(work), this.#traffic.drawCost(wanted));
      next();
    };
    next();
  }

  #flash(kinds: readonly { work: Workload; rate: number }[]): void {
    const { flash } = this.#scenario;
    if (flash === undefined) return;
    const part = this.#traffic.partOf(0);
    this.#time.at(flash.at, () => {
      for (const { work, rate } of kinds) this.#arrive(work, () => rate * part * (flash.factor - 1), 0, flash.until);
    });
  }

  /** A viewer of a shared pull: the first one opens it, the last one closes it. */
  #view(edge: Edge, channel: number, duration: number): void {
    let pull = edge.pulls.get(channel);
    if (pull === undefined) {
      pull = { viewers: 0, session: undefined, movedAt: Number.NEGATIVE_INFINITY };
      edge.pulls.set(channel, pull);
      this.#request(edge, channel, Number.POSITIVE_INFINITY, this.#traffic.costOf(channel), pull);
      this.#watch(edge, channel, pull);
    }
    pull.viewers += 1;
    const shared = pull;
    this.#time.at(this.#time.now + duration, () => {
      shared.viewers -= 1;
      if (shared.viewers > 0) return;
      edge.pulls.delete(channel);
      edge.stuckTo.delete(channel);
      if (shared.session !== undefined) this.#end(shared.session);
    });
  }

  /** Looks now and then whether the pull should move, as an HLS session does when it refreshes its playlist. */
  #watch(edge: Edge, channel: number, pull: Pull): void {
    const { affinity } = this.#scenario;
    if (affinity === undefined) return;
    const look = () => {
      if (pull.viewers === 0) return;
      this.#reconsider(edge, channel, pull, affinity.switchInterval);
      this.#time.at(this.#time.now + affinity.refresh, look);
    };
    this.#time.at(this.#time.now + affinity.refresh * this.#others(), look);
  }

  #reconsider(edge: Edge, channel: number, pull: Pull, switchInterval: number): void {
    const { now } = this.#time;
    const before = pull.session;
    const views = edge.views[channel] ?? [];
    if (before === undefined || now - pull.movedAt < switchInterval) return;
    if (edge.policy.stays?.(views, now, channel) !== false) return;
    const view = views[edge.policy.pick(views, now, channel)];
    const server = view && this.#servers[view.server];
    if (view === undefined || server === undefined || view === before.view || !server.alive) return;
    pull.movedAt = now;
    this.#stick(edge, channel, server);
    this.#place(edge, channel, view, Number.POSITIVE_INFINITY, before.cost, pull);
    this.#end(before);
  }

  #stick(edge: Edge, channel: number, server: Server): void {
    const before = edge.stuckTo.get(channel);
    edge.stuckTo.set(channel, server.index);
    if (before !== undefined && before !== server.index) this.#measure.moved(this.#time.now);
  }

  #request(edge: Edge, channel: number, duration: number, cost: number, pull?: Pull): void {
    const { now } = this.#time;
    let views: readonly View[] = edge.views[channel] ?? [];
    for (let attempt = 0; attempt < 3 && views.length > 0; attempt += 1) {
      const view = views[edge.policy.pick(views, now, this.#scenario.affinity && channel)];
      const server = view && this.#servers[view.server];
      if (view === undefined || server === undefined) throw new RangeError('the policy picked nobody');
      this.#measure.picked(now, server, edge.last !== server.index);
      this.#measure.chose(now, view, views);
      edge.last = server.index;
      if (this.#scenario.affinity) this.#stick(edge, channel, server);
      if (server.alive) {
        this.#place(edge, channel, view, duration, cost, pull);
        return;
      }
      this.#measure.failed(now);
      edge.policy.onStart?.(view, now);
      edge.policy.onDone?.(view, now, { durationSec: 0, ok: false });
      views = views.filter((other) => other !== view);
    }
  }

  #place(edge: Edge, channel: number, view: View, duration: number, cost: number, pull: Pull | undefined): void {
    const { now } = this.#time;
    const server = this.#servers[view.server];
    if (server === undefined) return;
    server.add(cost, now);
    const session = { edge, channel, cost, view, startedAt: now, endsAt: now + duration, pull, ended: false };
    if (pull !== undefined) pull.session = session;
    if (this.#scenario.die?.index === server.index) this.#doomed.add(session);
    if (Number.isFinite(duration)) this.#time.at(session.endsAt, () => this.#end(session));
    edge.policy.onStart?.(view, now);
  }

  #end(session: Session): void {
    if (session.ended) return;
    session.ended = true;
    this.#doomed.delete(session);
    const { now } = this.#time;
    this.#servers[session.view.server]?.add(-session.cost, now);
    session.edge.policy.onDone?.(session.view, now, { durationSec: now - session.startedAt, ok: true });
  }

  #reportFrom(server: Server, first: number): void {
    const { period, periodJitter } = this.#scenario;
    const report = () => {
      if (!server.alive) return;
      this.#broadcast(server, server.report(this.#time.now, this.#scenario, this.#reports));
      this.#time.at(this.#time.now + period * (1 + periodJitter * (2 * this.#reports() - 1)), report);
    };
    this.#time.at(first, report);
  }

  #broadcast(server: Server, report: Report): void {
    const { delayMin, delayMax } = this.#scenario;
    for (const edge of this.#edges) {
      const delay = edge.delay + (delayMax - delayMin) * 0.5 * this.#reports();
      this.#time.at(this.#time.now + delay, () => this.#deliver(edge, server, report));
    }
  }

  #deliver(edge: Edge, server: Server, report: Report): void {
    const { now } = this.#time;
    this.#replicas.forEach((servers, channel) => {
      const views = edge.views[channel];
      if (views === undefined || !servers.includes(server.index)) return;
      let view = views.find((one) => one.server === server.index);
      if (view === undefined) {
        view = {
          id: channel * this.#servers.length + server.index,
          server: server.index,
          load: 0,
          bitrate: this.#traffic.bitrateOf(channel),
          packet_loss_rate: 0,
          version: 0,
          receivedAt: now,
          joinedAt: now,
        };
        views.push(view);
        views.sort((a, b) => a.id - b.id);
      }
      if (report.version <= view.version) return;
      view.version = report.version;
      view.load = report.load;
      view.packet_loss_rate = report.loss;
      view.receivedAt = now;
      edge.policy.onReport?.(view, now);
    });
  }

  #drift({ mean, deviation, spread = 1 }: NonNullable<Scenario['background']>): void {
    const memory = 30;
    const keep = Math.exp(-1 / memory);
    const levels = this.#servers.map(() => mean * (1 + spread * (this.#others() - 0.5)));
    const drifts = this.#servers.map(() => 0);
    this.#every(0, 1, () => {
      this.#servers.forEach((server, i) => {
        const drift = keep * (drifts[i] ?? 0) + deviation * Math.sqrt(1 - keep * keep) * gaussian(this.#others);
        drifts[i] = drift;
        server.area(this.#time.now);
        const part = this.#scenario.ramp ? 1 - this.#grown() : 1;
        server.background = part * Math.max(0, (levels[i] ?? 0) + drift);
      });
    });
  }

  #join({ at, index }: { at: number; index: number }): void {
    this.#time.at(at, () => {
      const server = this.#servers[index];
      if (server === undefined) return;
      server.start(at);
      server.version += 1;
      this.#broadcast(server, { load: 0, loss: server.loss, version: server.version });
      this.#reportFrom(server, at + this.#scenario.period * (0.5 + 0.5 * this.#reports()));
    });
  }

  /** The server dies: its sessions come back within 2 s, its registration goes when its session with the registry ends. */
  #die({ at, index }: { at: number; index: number }): void {
    this.#time.at(at, () => {
      const server = this.#servers[index];
      if (server === undefined) return;
      server.area(at);
      server.alive = false;
      server.used = 0;
      for (const session of this.#doomed) this.#interrupt(session, at);
      this.#doomed.clear();
      for (const edge of this.#edges) {
        this.#time.at(at + this.#scenario.sessionTimeout + edge.delay, () => this.#leave(edge, index));
      }
    });
  }

  #interrupt(session: Session, at: number): void {
    const { edge, channel, cost, view, pull } = session;
    session.ended = true;
    if (pull !== undefined) pull.session = undefined;
    edge.policy.onDone?.(view, at, { durationSec: at - session.startedAt, ok: false });
    const remaining = Math.max(0.05, session.endsAt - at);
    this.#time.at(at + this.#various() * 2, () => {
      if (pull === undefined || pull.viewers > 0) this.#request(edge, channel, remaining, cost, pull);
    });
  }

  #leave(edge: Edge, server: number): void {
    for (const views of edge.views) {
      const at = views.findIndex((view) => view.server === server);
      const [view] = at >= 0 ? views.splice(at, 1) : [];
      if (view !== undefined) edge.policy.onLeave?.(view, this.#time.now);
    }
  }
}

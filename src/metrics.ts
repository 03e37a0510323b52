// Every metric, declared once, with names and units after Prometheus' conventions. Labels are bounded: nothing that a
// client or the registry can choose freely becomes one.

import { type Aggregator, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { failures } from './errors.js';
import { latencyBuckets, trafficMetrics } from './traffic-metrics.js';
import { faultsByField } from './value-faults.js';

/**
 * Why a process that serves players ends. `failed`: it said that it cannot serve; `spawn`: there never was a process;
 * `rollback`: it has settings that are not to stay.
 */
const workerExitCauses = [
  ...(['crash', 'failed', 'spawn'] as const),
  ...(['stuck', 'late', 'memory', 'rollback', 'reload', 'shutdown'] as const),
] as const;
export type WorkerExitCause = (typeof workerExitCauses)[number];

/** `refused`: they could not be read. `failed`: the workers could not start with them. */
const reloadOutcomes = ['applied', 'unchanged', 'refused', 'failed'] as const;
export type ReloadOutcome = (typeof reloadOutcomes)[number];

/**
 * Why a player may not play. `missing`: no signature. `elsewhere`: it is for another path; `client`: for another address.
 * `network`: of the player.
 */
const accessRefusals = [
  ...(['missing', 'malformed', 'unknown_key', 'forged', 'expired', 'elsewhere', 'client', 'network'] as const),
] as const;
export type AccessRefusal = (typeof accessRefusals)[number];

/** Why a registration is not used. */
const skipReasons = [
  ...(['too_large', 'not_utf8', 'bad_json', 'no_address', 'bad_address', 'unknown_format'] as const),
  ...(['bad_channel_name', 'bad_name', 'too_many', 'no_auth', 'unreadable'] as const),
] as const;
export type SkipReason = (typeof skipReasons)[number];

/** `refused`: it does not know the secret, or wants another edge. `late`: it said too little for too long. `full`: no room. */
const proofOutcomes = ['proven', 'refused', 'late', 'full'] as const;
export type ProofOutcome = (typeof proofOutcomes)[number];
/** `unreachable`: it cannot be connected to, for all channels. `failed`: it refused or lost this one. */
const avoidCauses = ['unreachable', 'failed'] as const;
export type AvoidCause = (typeof avoidCauses)[number];

/** @param process whether to measure the process too (memory, CPU, event loop): once in a process */
export function createMetrics({ process = true } = {}) {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name, help, labelNames, registers });
  /** @param aggregator how the gauges of several processes become one */
  const gauge = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[] = [],
    aggregator: Aggregator = 'sum',
  ) => new Gauge({ name, help, labelNames, registers, aggregator });
  const histogram = <L extends string>(name: string, help: string, buckets: number[], labelNames: readonly L[] = []) =>
    new Histogram({ name, help, labelNames, buckets, registers });
  /**
   * The series of a counter that alerts look at, at 0 from the beginning: one that is born at 1 never increased, to
   * Prometheus.
   */
  const at0 = <L extends string>(metric: Counter<L>, series: readonly Record<L, string>[]): Counter<L> => {
    for (const labels of series) metric.inc(labels, 0);
    return metric;
  };
  if (process) collectDefaultMetrics({ register: registry });
  // Gauges that are named like counters, against Prometheus' conventions; the same values stand in the metrics without `_total`.
  for (const what of ['handles', 'requests', 'resources']) registry.removeSingleMetric(`nodejs_active_${what}_total`);
  return {
    /** What `/metrics` renders. */
    registry,
    ...trafficMetrics(registry),
    connectionsRefused: counter(
      'weir_http_connections_refused_total',
      'Connections closed because of http.maxConnections.',
    ),

    accessRefusals: at0(
      counter('weir_access_refusals_total', 'Requests of players who may not play, by why.', ['reason']),
      accessRefusals.map((reason) => ({ reason })),
    ),
    picks: counter('weir_picks_total', 'Picks by policy and how they ended.', ['policy', 'outcome']),
    reportAge: gauge(
      'weir_balancer_report_age_seconds',
      'Age in seconds of the reports that picks rest on.',
      ['statistic'],
      'max',
    ),
    gain: gauge(
      'weir_balancer_gain',
      "By `adaptive`: part of a server's load, 0 to 1, that is taken to be this edge's traffic and that of its like.",
      [],
      'average',
    ),
    busiestShare: gauge(
      'weir_balancer_busiest_share',
      'Shares, 0 to 1, of the kbit/s picked lately that the ten busiest servers got, by `adaptive`.',
      ['rank'],
      'average',
    ),
    retries: counter('weir_retries_total', 'Requests tried again on another endpoint or worker, by what failed.', [
      'cause',
    ]),
    ejections: at0(
      counter('weir_ejections_total', 'Addresses ejected by passive health, by the last failure.', ['cause']),
      failures.map((cause) => ({ cause })),
    ),
    refusedAddresses: counter('weir_refused_addresses_total', 'Connections refused because of upstream.allow.'),
    endpoints: gauge('weir_endpoints', 'Endpoints by state.', ['state'], 'max'),
    channels: gauge('weir_channels', 'Channels in the snapshot.', [], 'max'),

    relays: gauge('weir_relays', 'Streams pulled from origins for viewers who share them.'),
    relaysFromEdges: gauge('weir_hub_relays', 'Streams taken from the edge that owns the channel.'),
    hubConnections: at0(
      counter(
        'weir_hub_connections_total',
        'Connections that came in on fleet.peerListen, by what came of the proof.',
        ['outcome'],
      ),
      proofOutcomes.map((outcome) => ({ outcome })),
    ),
    hubAvoided: at0(
      counter('weir_hub_avoided_total', 'Times another way was taken than by the edge that owns the channel, by why.', [
        'cause',
      ]),
      avoidCauses.map((cause) => ({ cause })),
    ),
    relayViewers: gauge('weir_relay_viewers', 'Viewers of relayed streams.', ['protocol']),
    relayPulls: counter('weir_relay_pulls_total', 'Pulls that ended, by why.', ['outcome']),
    relayFailovers: counter('weir_relay_failovers_total', 'Streams moved to another endpoint, by why.', ['cause']),
    relayFailoverDuration: histogram(
      'weir_relay_failover_seconds',
      'Seconds from the last tag of the old endpoint to the first of the new one.',
      [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10],
    ),
    relayWindowBytes: histogram(
      'weir_relay_window_bytes',
      'Bytes written to each viewer at once.',
      [256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576],
    ),
    relayJoin: histogram(
      'weir_relay_join_seconds',
      'Seconds from the request of a viewer to its first keyframe.',
      latencyBuckets,
      ['protocol'],
    ),
    relaySkips: counter('weir_relay_skips_total', 'Times a slow viewer was made to skip to a keyframe.'),
    relaySlowCloses: counter('weir_relay_slow_closes_total', 'Viewers closed because they stayed slow.'),
    relaySheds: counter(
      'weir_relay_sheds_total',
      'Viewers closed because too much waited in memory for viewers who do not read, these for longest.',
    ),
    relayHeldBytes: gauge(
      'weir_relay_held_bytes',
      'Bytes in memory that wait for viewers of relayed streams; what they share counts once.',
    ),
    relayTimestampJumps: counter(
      'weir_relay_timestamp_jumps_total',
      'Times a running endpoint broke with its own clock.',
      ['direction'],
    ),
    relayWrongTagSizes: counter(
      'weir_relay_wrong_tag_sizes_total',
      'FLV tags with a wrong PreviousTagSize behind them, passed on with the right one.',
    ),
    hlsSwitches: counter('weir_hls_switches_total', 'Changes of a session to another endpoint.', ['cause']),
    hlsPlanWrites: counter('weir_hls_plan_writes_total', "Writes to channels' plans, by what came of them.", [
      'result',
    ]),
    hlsPlans: gauge('weir_hls_plans', 'Channels whose plan this edge watches.'),
    hlsApart: counter(
      'weir_hls_apart_total',
      'Times that a session went on by itself, since the edges did not agree on a plan in time.',
    ),
    hlsPins: counter('weir_hls_pins_total', 'Requests whose pin leads to no endpoint.', ['problem']),
    hlsSessions: gauge('weir_hls_sessions', 'HLS sessions.'),
    hlsSessionBytes: gauge('weir_hls_session_bytes', 'Bytes of memory that the playlists of all sessions take, about.'),
    hlsRefusals: counter(
      'weir_hls_refusals_total',
      'Requests for a playlist refused for want of room for another one.',
    ),
    hlsCacheBytes: gauge('weir_hls_cache_bytes', 'Bytes of memory that cached objects take.'),
    hlsCacheObjects: gauge('weir_hls_cache_objects', 'Cached objects.'),

    workers: gauge('weir_workers', 'Processes that serve players, by what they do.', ['state']),
    workerExits: at0(
      counter('weir_worker_exits_total', 'Processes that served players and ended, by cause.', ['cause']),
      workerExitCauses.map((cause) => ({ cause })),
    ),
    workerMemory: gauge('weir_worker_resident_bytes', 'Resident memory of a worker in bytes.', ['worker']),
    reloads: at0(
      counter('weir_config_reloads_total', 'Times settings were read again, by what came of it.', ['outcome']),
      reloadOutcomes.map((outcome) => ({ outcome })),
    ),
    settingsRefused: gauge(
      'weir_settings_refused',
      '1 while the settings that were last asked for could not be taken, so that earlier ones are in effect.',
    ),

    fleetEdges: gauge('weir_fleet_edges', 'Edges in service, of all sites and of this one.', ['of'], 'max'),
    fleetEdgesCounted: gauge('weir_fleet_edges_counted', 'Edges that balancer.edges: auto counts.', [], 'max'),
    fleetConnected: gauge('weir_fleet_connected', '1 while the fleet is in reach, by ZooKeeper; else 0.', [], 'max'),
    fleetDrained: gauge('weir_fleet_drained', '1 while this edge is out of service by an order.', [], 'max'),
    fleetClash: gauge('weir_fleet_name_clash', '1 while another edge of the site has the same name.', [], 'max'),

    unhandledRejections: counter('weir_unhandled_rejections_total', 'Failures that no part of weir handled.'),

    buildInfo: gauge('weir_build_info', '1, with the versions of weir and of Node.', ['version', 'node'], 'max'),
    registryState: gauge('weir_registry_state', '1 for the state the snapshot is in.', ['state'], 'max'),
    snapshotRevision: gauge('weir_snapshot_revision', 'Revision of the snapshot.', [], 'max'),
    snapshotAge: gauge(
      'weir_snapshot_age_seconds',
      'Seconds since the registry was last in reach; 0 while it is.',
      [],
      'max',
    ),
    registryEvents: counter('weir_registry_events_total', 'Changes the registry told of.', ['event']),
    registrySessions: counter('weir_registry_session_changes_total', 'Changes of the registry session.', ['state']),
    registryOpenSessions: gauge(
      'weir_registry_sessions',
      'Sessions with ZooKeeper: `wanted` to follow all of it, and `open` now.',
      ['state'],
      'max',
    ),
    registrySkipped: at0(
      counter('weir_registry_skipped_nodes_total', 'Registrations no decoder accepts.', ['reason']),
      skipReasons.map((reason) => ({ reason })),
    ),
    registryUnknownValues: at0(
      counter('weir_registry_unknown_values_total', 'Reported values that count as unknown.', ['field', 'reason']),
      faultsByField.flatMap(([field, reasons]) => reasons.map((reason) => ({ field, reason }))),
    ),
    registryUnreadable: gauge(
      'weir_registry_unreadable_nodes',
      'Registrations that cannot be used now, by reason.',
      ['reason'],
      'max',
    ),
    registryUnknown: gauge(
      'weir_registry_unknown_values',
      'Values of registered endpoints that count as unknown now.',
      ['field', 'reason'],
      'max',
    ),
    registryGivenUp: gauge(
      'weir_registry_given_up',
      '1 when the registry is not followed any more, since no retry heals what is wrong; else 0.',
      [],
      'max',
    ),
    healthProbes: counter(
      'weir_health_probes_total',
      'Health checks that this edge made as the leader of its site. unknown: nothing that speaks for or against the endpoint.',
      ['outcome'],
    ),
    fleetLeader: gauge(
      'weir_fleet_leader',
      '1 when this edge certainly leads the edges of its site (fleet.site), as one of them does; else 0.',
      [],
      'max',
    ),
    watchedBytes: gauge(
      'weir_registry_watched_path_bytes',
      'Bytes that re-arming the watches takes, of the ZooKeeper session that has most.',
      [],
      'max',
    ),
    massDrops: counter('weir_registry_mass_drops_total', 'Times most endpoints vanished at once and were kept.'),
    eventDelay: histogram(
      'weir_registry_event_to_snapshot_seconds',
      'Seconds from a registry event to the snapshot that contains it.',
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5],
    ),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

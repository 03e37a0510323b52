// What the simulation asks of a policy. Times are in seconds here.

/** An endpoint as an edge sees it: the last report that reached it. One object for the endpoint's whole life. */
export interface View {
  readonly id: number;
  /** Endpoints of one server share its load; the server's number. */
  readonly server: number;
  readonly service_address?: string;
  load: number;
  packet_loss_rate: number;
  readonly bitrate: number;
  version: number;
  receivedAt: number;
  readonly joinedAt: number;
}

export interface Ending {
  readonly durationSec: number;
  readonly ok: boolean;
}

export interface EdgeOptions {
  readonly edgeId: number;
  /** As `balancer.affinityMargin`. */
  readonly affinityMargin?: number | undefined;
  /** Number of edges, where the edge is told. */
  readonly edges?: number | undefined;
  readonly rng: () => number;
  /** True utilisation and loss of a server: for bounds that nothing real can reach. */
  readonly truth?: ((server: number) => { load: number; loss: number }) | undefined;
  /** Part of all load that our edges make now, 0 to 1: likewise. */
  readonly ownPart?: (() => number) | undefined;
}

/** A policy at one edge. */
export interface EdgePolicy {
  /**
   * An index into `views`, which is not empty.
   * @param channel given: what the edge's last pick for this channel chose is kept as long as it would be for HLS
   */
  pick(views: readonly View[], now: number, channel?: number): number;
  /** Whether the channel's HLS would be kept where it is; undefined: always. */
  stays?(views: readonly View[], now: number, channel: number): boolean;
  onReport?(view: View, now: number): void;
  onLeave?(view: View, now: number): void;
  onStart?(view: View, now: number): void;
  onDone?(view: View, now: number, ending: Ending): void;
}

export type PolicyModule = (options: EdgeOptions) => EdgePolicy;

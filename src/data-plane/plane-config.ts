// The settings of a data plane as its parts read them: one object that changes in place, where `balancer.edges` is always a number.

import { assignInPlace } from '../config/assign.js';
import type { DataPlaneConfig } from './contract.js';

/** Settings that parts read when they need them. */
export type PlaneConfig = Omit<DataPlaneConfig, 'balancer'> & {
  readonly balancer: Omit<DataPlaneConfig['balancer'], 'edges'> & { readonly edges: number };
};

/** Sole writer of the settings of a data plane. */
export class PlaneSettings {
  readonly config: PlaneConfig;
  #given: DataPlaneConfig;
  /** Edges as the fleet says, for `auto`. */
  #edges = 1;

  /** It makes a copy of its own. */
  constructor(given: DataPlaneConfig) {
    this.#given = given;
    this.config = structuredClone(withEdges(given, this.#edges));
  }

  configure(next: DataPlaneConfig): void {
    this.#given = next;
    assignInPlace(this.config, withEdges(next, this.#edges));
  }

  /** The fleet has so many edges. */
  setEdges(edges: number): void {
    this.#edges = edges;
    this.configure(this.#given);
  }
}

function withEdges(config: DataPlaneConfig, known: number): PlaneConfig {
  const { edges } = config.balancer;
  return { ...config, balancer: { ...config.balancer, edges: edges === 'auto' ? known : edges } };
}

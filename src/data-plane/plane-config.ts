// Pure: the settings of a data plane as its parts read them, where `balancer.edges` is always a number.

import type { DataPlaneConfig } from './contract.js';

type Balancer = DataPlaneConfig['balancer'];

/** Settings that parts read when they need them. */
export type PlaneConfig = Omit<DataPlaneConfig, 'balancer'> & {
  readonly balancer: Omit<Balancer, 'edges'> & { readonly edges: number };
};

/** @param known edges as the fleet says, for `auto` */
export function withEdges(config: DataPlaneConfig, known: number): PlaneConfig {
  const { edges } = config.balancer;
  return { ...config, balancer: { ...config.balancer, edges: edges === 'auto' ? known : edges } };
}

// Pure: passive health. Gateway failures in a row eject an address for a time that grows with every ejection, after
// Envoy's outlier detection (https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier).

export interface OutlierSettings {
  /** Failures in a row that eject. */
  readonly consecutiveFailures: number;
  /** Length of the first ejection in ms; the n-th lasts n times as long. */
  readonly baseEjection: number;
  /** No ejection is longer, in ms. */
  readonly maxEjection: number;
}

export interface PassiveHealth {
  readonly consecutiveFailures: number;
  /** Monotonic ms; 0 when it was never ejected. */
  readonly ejectedUntil: number;
  readonly timesEjected: number;
}

/** The health of a server that nothing is known of. */
export const healthy: PassiveHealth = { consecutiveFailures: 0, ejectedUntil: 0, timesEjected: 0 };

/**
 * A failure counts on through an ejection: the first failure after it ejects again, without five more viewers having to
 * pay for it. Failures of requests that were under way when it was ejected do not prolong the ejection.
 *
 * @param weight a share of a failure, for what another edge found; below 0 it is taken back
 */
export function afterFailure(health: PassiveHealth, now: number, settings: OutlierSettings, weight = 1): PassiveHealth {
  const consecutiveFailures = Math.max(0, health.consecutiveFailures + weight);
  const ejects = weight > 0 && consecutiveFailures >= settings.consecutiveFailures && now >= health.ejectedUntil;
  if (!ejects) return { ...health, consecutiveFailures };
  const timesEjected = health.timesEjected + 1;
  const length = Math.min(settings.baseEjection * timesEjected, settings.maxEjection);
  return { consecutiveFailures, timesEjected, ejectedUntil: now + length };
}

/** Past ejections are forgotten once it has been well for as long as the longest ejection. */
export function afterSuccess(health: PassiveHealth, now: number, settings: OutlierSettings): PassiveHealth {
  const forgiven = now - health.ejectedUntil >= settings.maxEjection;
  return { ...health, consecutiveFailures: 0, timesEjected: forgiven ? 0 : health.timesEjected };
}

/** Whether passive health keeps a server out at `now` (monotonic ms). */
export function isEjected(health: PassiveHealth, now: number): boolean {
  return now < health.ejectedUntil;
}

/** More than `threshold` of a channel ejected: it is more likely that we are wrong than that all of them are broken. */
export function isPanic(ejected: number, all: number, threshold: number): boolean {
  return ejected > threshold * all;
}

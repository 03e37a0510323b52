// Reports that come with an answer: the response header `endpoint-load-metrics` of ORCA, the Open Request Cost
// Aggregation standard, in its TEXT form (`TEXT cpu_utilization=0.3,eps=2`, also without the prefix) or as JSON
// (`JSON {"cpu_utilization":0.3}`, also without the prefix).
//
// Source: xds/data/orca/v3/orca_load_report.proto and Envoy's orca_parser, which fix the names and the two forms.

import { knownFraction } from './score.js';

/** Longer headers are ignored: a report has a few dozen bytes. */
const maxLength = 4096;

/** The response header of a report, in lower case. */
export const orcaHeader = 'endpoint-load-metrics';

/** What an origin said of itself with an answer; undefined is unknown. */
export interface OrcaReport {
  /**
   * Fraction 0..1: application_utilization, else cpu_utilization, plus the part of the requests that fail
   * (eps ÷ rps_fractional), as gRPC proposal A58 has it: a server that fails fast looks idle.
   */
  readonly load: number | undefined;
  /** Fraction 0..1: named_metrics.packet_loss_rate. The standard has no field for it; the name is that of a znode. */
  readonly packetLoss: number | undefined;
}

/** Reads the header's value. Undefined when it is no report; values that are none are unknown. Never throws. */
export function parseOrca(value: string): OrcaReport | undefined {
  if (value.length > maxLength) return undefined;
  const text = value.trim();
  const json = /^(?:JSON\s*)?(\{.*)$/s.exec(text)?.[1];
  const metrics = json === undefined ? parsePairs(text.replace(/^TEXT\s+/, '')) : parseJson(json);
  if (metrics === undefined) return undefined;
  const used = utilisation(metrics.get('application_utilization')) ?? utilisation(metrics.get('cpu_utilization'));
  return {
    load: used === undefined ? undefined : Math.min(1, used + failing(metrics)),
    packetLoss: knownFraction(metrics.get('named_metrics.packet_loss_rate')),
  };
}

/**
 * May exceed 1 where a server is overcommitted. 0, which protobuf also sends for a field that was never set, is unknown,
 * and so is what looks like a percentage.
 */
function utilisation(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 && value < 10 ? value : undefined;
}

/** The part of the requests that fail; 0 when unknown. */
function failing(metrics: Metrics): number {
  const requests = metrics.get('rps_fractional') ?? 0;
  const errors = metrics.get('eps') ?? 0;
  return requests > 0 && errors > 0 ? Math.min(1, errors / requests) : 0;
}

type Metrics = ReadonlyMap<string, number>;

function parsePairs(text: string): Metrics | undefined {
  const metrics = new Map<string, number>();
  for (const pair of text.split(',')) {
    const [, name, number] = /^\s*([\w.]+)\s*[=:]\s*([-+.\deE]+)\s*$/.exec(pair) ?? [];
    if (name === undefined || number === undefined) return undefined;
    put(metrics, name, Number(number));
  }
  return metrics;
}

function parseJson(text: string): Metrics | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const metrics = new Map<string, number>();
  for (const [name, value] of Object.entries(parsed)) {
    if (name === 'named_metrics' && typeof value === 'object' && value !== null) {
      for (const [inner, number] of Object.entries(value)) put(metrics, `named_metrics.${inner}`, number);
    } else {
      // The JSON mapping of protobuf writes cpuUtilization for cpu_utilization.
      put(
        metrics,
        name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        value,
      );
    }
  }
  return metrics;
}

function put(metrics: Map<string, number>, name: string, value: unknown): void {
  if (typeof value === 'number' && Number.isFinite(value)) metrics.set(name, value);
}

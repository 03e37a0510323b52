// How many inputs a property is tried on: few in the quick tests, many in the whole run.

/** Set for the whole run. */
export const thorough = process.env['WEIR_TEST_THOROUGH'] !== undefined;

/** @param quick what the quick tests take; the whole run takes `full` of them, ten times as many by default */
export function runs(quick: number, full = 10 * quick): number {
  return thorough ? full : quick;
}

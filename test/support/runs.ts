// How many inputs a property is tried on: few in the quick tests, many in the whole run.

/** Set for the whole run. */
export const thorough = process.env['WEIR_TEST_THOROUGH'] !== undefined;

/** @param quick what the quick tests take; the whole run takes ten times as many */
export function runs(quick: number): number {
  return thorough ? 10 * quick : quick;
}

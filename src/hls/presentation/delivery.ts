// What a playlist promises about its delivery: blocking reloads, delta updates, parts (EXT-X-SERVER-CONTROL and
// EXT-X-PART-INF of RFC 8216bis, sections 4.4.3.7 and 4.4.3.8). The origin's promises are adapted to the target duration
// that players see. Pure.

import { parseAttributes } from '../playlist/attributes.js';
import { find, type Tag } from '../playlist/model.js';

export interface DeliveryPromises {
  /** The endpoint answers `_HLS_msn` when there is something to answer. */
  readonly canBlock: boolean;
  /** Seconds from the end beyond which a delta update leaves segments out; undefined: none are offered. */
  readonly skipUntilSeconds: number | undefined;
  /** Seconds that players should keep from the end. */
  readonly holdBackSeconds: number | undefined;
  readonly partHoldBackSeconds: number | undefined;
  /** Seconds a part; undefined: there are no parts. */
  readonly partTargetSeconds: number | undefined;
}

/** Tags that are written anew. */
export const deliveryTags: ReadonlySet<string> = new Set(['EXT-X-SERVER-CONTROL', 'EXT-X-PART-INF']);

/** A shorter part target is ignored: players and endpoint would reload without a pause. */
const minPartSeconds = 0.02;

/** @param target seconds: the target duration that players are shown, which may be greater than this origin's */
export function deliveryOf(header: readonly Tag[], targetSeconds: number): DeliveryPromises {
  const control = parseAttributes(find(header, 'EXT-X-SERVER-CONTROL')?.value);
  const part = secondsOf(parseAttributes(find(header, 'EXT-X-PART-INF')?.value).get('PART-TARGET'));
  const partTargetSeconds = part !== undefined && part >= minPartSeconds && part <= targetSeconds ? part : undefined;
  const partHoldBackSeconds = secondsOf(control.get('PART-HOLD-BACK'));
  return {
    canBlock: control.get('CAN-BLOCK-RELOAD') === 'YES',
    skipUntilSeconds: notBelow(secondsOf(control.get('CAN-SKIP-UNTIL')), 6 * targetSeconds),
    holdBackSeconds: notBelow(secondsOf(control.get('HOLD-BACK')), 3 * targetSeconds),
    partHoldBackSeconds:
      partTargetSeconds === undefined ? undefined : holdBackOf(partHoldBackSeconds, partTargetSeconds),
    partTargetSeconds,
  };
}

/** It has to be said where there are parts, and be two part targets at least; three are advised. */
function holdBackOf(told: number | undefined, partTargetSeconds: number): number {
  return told !== undefined && told >= 2 * partTargetSeconds ? told : 3 * partTargetSeconds;
}

/** CAN-SKIP-DATERANGES is not among them: date ranges are never left out. */
export function deliveryLines({
  canBlock,
  skipUntilSeconds,
  holdBackSeconds,
  partHoldBackSeconds,
  partTargetSeconds,
}: DeliveryPromises): string[] {
  const control = [
    ...(canBlock ? ['CAN-BLOCK-RELOAD=YES'] : []),
    ...(skipUntilSeconds === undefined ? [] : [`CAN-SKIP-UNTIL=${decimal(skipUntilSeconds)}`]),
    ...(holdBackSeconds === undefined ? [] : [`HOLD-BACK=${decimal(holdBackSeconds)}`]),
    ...(partHoldBackSeconds === undefined ? [] : [`PART-HOLD-BACK=${decimal(partHoldBackSeconds)}`]),
  ];
  const lines = control.length === 0 ? [] : [`#EXT-X-SERVER-CONTROL:${control.join(',')}`];
  if (partTargetSeconds !== undefined) lines.push(`#EXT-X-PART-INF:PART-TARGET=${decimal(partTargetSeconds)}`);
  return lines;
}

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}(\.\d{1,20})?$/.test(text) ? Number(text) : undefined;
}

function notBelow(told: number | undefined, min: number): number | undefined {
  return told === undefined ? undefined : Math.max(told, min);
}

/** Without the noise of binary fractions. */
function decimal(seconds: number): string {
  return String(Number(seconds.toFixed(5)));
}

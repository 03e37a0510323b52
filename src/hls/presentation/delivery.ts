// What a playlist promises about its delivery: blocking reloads, delta updates, parts (EXT-X-SERVER-CONTROL and
// EXT-X-PART-INF of RFC 8216bis, sections 4.4.3.7 and 4.4.3.8). The origin's promises are made to agree with what
// players are shown. Pure.

import { parseAttributes } from '../playlist/attributes.js';
import { find, type Tag } from '../playlist/model.js';

export interface Delivery {
  /** The endpoint answers `_HLS_msn` when there is something to answer. */
  readonly canBlock: boolean;
  /** Seconds from the end beyond which a delta update leaves segments out; undefined: none are offered. */
  readonly skipUntil: number | undefined;
  /** Seconds that players should keep from the end. */
  readonly holdBack: number | undefined;
  readonly partHoldBack: number | undefined;
  /** Seconds a part; undefined: there are no parts. */
  readonly partTarget: number | undefined;
}

/** Tags that are written anew. */
export const deliveryTags: ReadonlySet<string> = new Set(['EXT-X-SERVER-CONTROL', 'EXT-X-PART-INF']);

/** Seconds. A shorter part is no part: what waits for each one would never rest. */
const minPartSeconds = 0.02;

/** @param target seconds: the target duration that players are shown, which may be greater than this origin's */
export function deliveryOf(header: readonly Tag[], target: number): Delivery {
  const control = parseAttributes(find(header, 'EXT-X-SERVER-CONTROL')?.value);
  const part = secondsOf(parseAttributes(find(header, 'EXT-X-PART-INF')?.value).get('PART-TARGET'));
  const partTarget = part !== undefined && part >= minPartSeconds && part <= target ? part : undefined;
  const partHoldBack = secondsOf(control.get('PART-HOLD-BACK'));
  return {
    canBlock: control.get('CAN-BLOCK-RELOAD') === 'YES',
    skipUntil: atLeast(secondsOf(control.get('CAN-SKIP-UNTIL')), 6 * target),
    holdBack: atLeast(secondsOf(control.get('HOLD-BACK')), 3 * target),
    partHoldBack: partTarget === undefined ? undefined : holdBackOf(partHoldBack, partTarget),
    partTarget,
  };
}

/** It has to be said where there are parts, and be two part targets at least; three are advised. */
function holdBackOf(told: number | undefined, partTarget: number): number {
  return told !== undefined && told >= 2 * partTarget ? told : 3 * partTarget;
}

/** CAN-SKIP-DATERANGES is not among them: date ranges are never left out. */
export function deliveryLines({ canBlock, skipUntil, holdBack, partHoldBack, partTarget }: Delivery): string[] {
  const control = [
    ...(canBlock ? ['CAN-BLOCK-RELOAD=YES'] : []),
    ...(skipUntil === undefined ? [] : [`CAN-SKIP-UNTIL=${decimal(skipUntil)}`]),
    ...(holdBack === undefined ? [] : [`HOLD-BACK=${decimal(holdBack)}`]),
    ...(partHoldBack === undefined ? [] : [`PART-HOLD-BACK=${decimal(partHoldBack)}`]),
  ];
  const lines = control.length === 0 ? [] : [`#EXT-X-SERVER-CONTROL:${control.join(',')}`];
  if (partTarget !== undefined) lines.push(`#EXT-X-PART-INF:PART-TARGET=${decimal(partTarget)}`);
  return lines;
}

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,6}(\.\d{1,20})?$/.test(text) ? Number(text) : undefined;
}

function atLeast(told: number | undefined, least: number): number | undefined {
  return told === undefined ? undefined : Math.max(told, least);
}

/** Without the noise of binary fractions. */
function decimal(seconds: number): string {
  return String(Number(seconds.toFixed(5)));
}

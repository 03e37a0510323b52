// The order of a queue of sequential nodes: whose turn it is, and whom the others wait for. Pure.

/** `shared`: several may have their turn at once, as readers. `exclusive`: nobody beside it. */
export type Turn = 'exclusive' | 'shared';

interface Place {
  readonly name: string;
  readonly turn: Turn;
  readonly sequence: number;
}

const pattern = /^([0-9a-f-]{36})-(exclusive|shared)-(\d{10})$/;

/** What a place's name begins with. The GUID tells which of the places is one's own when the answer to its making is lost. */
export const prefixOf = (guid: string, turn: Turn) => `${guid}-${turn}-`;

/** The places, first in line first. Other names are no places: anybody may have made them. */
function placesOf(names: readonly string[]): Place[] {
  return names
    .flatMap((name) => {
      const [, , turn, digits] = pattern.exec(name) ?? [];
      return turn === undefined ? [] : [{ name, turn: turn as Turn, sequence: Number(digits) }];
    })
    .sort((a, b) => a.sequence - b.sequence);
}

export type Verdict =
  | { readonly kind: 'turn' }
  /** Until this place is gone. Who waits for it is the only one that looks then, or one of the few that share the next turn. */
  | { readonly kind: 'wait'; readonly before: string }
  /** One's own place is not there. */
  | { readonly kind: 'gone' };

/** What holds for the place `own` among the names of a queue. */
export function verdictOf(names: readonly string[], own: string): Verdict {
  const places = placesOf(names);
  const at = places.findIndex(({ name }) => name === own);
  const place = places[at];
  if (place === undefined) return { kind: 'gone' };
  const ahead = places.slice(0, at);
  const before = ahead.findLast(({ turn }) => place.turn === 'exclusive' || turn === 'exclusive');
  return before === undefined ? { kind: 'turn' } : { kind: 'wait', before: before.name };
}

/** The place made with this GUID; undefined where there is none. */
export function ownAmong(names: readonly string[], guid: string): string | undefined {
  return placesOf(names).find(({ name }) => name.startsWith(guid))?.name;
}

/** The place that is first in line; undefined where there is none. */
export function firstAmong(names: readonly string[]): string | undefined {
  return placesOf(names)[0]?.name;
}

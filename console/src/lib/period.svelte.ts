// The period that a view speaks of: whole days of Bogotá, in the address. Without one it is the seven days up to the
// newest stored tweet, not up to today: stored data may be months old.
import { addDays, dayOf, daysBetween, endOf, startOf } from "./format";
import { param } from "./route.svelte";

export const PRESETS = [1, 7, 30, 90];
const DEFAULT_DAYS = 7;
/** The longest period that forecast-service computes an index or a share of. */
export const MOST_DAYS = 730;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
/** A day that the address names; undefined where it names none. `Date.parse` takes February 31 for March 3. */
const dayIn = (name: string) => {
  const value = param(name);
  return DAY.test(value) && !Number.isNaN(Date.parse(value)) && addDays(value, 0) === value ? value : undefined;
};
const state = $state<{ newest: string | null; known: boolean; empty: boolean }>({ newest: null, known: false, empty: false });

/** The moment of the newest stored tweet; null where there is none or it is not known. */
export function newest(): string | null {
  return state.newest;
}

/** Whether a period is known: the reader chose its end, or it is known which tweet is the newest. */
export function periodKnown(): boolean {
  return state.known || dayIn("hasta") !== undefined;
}

/** Whether it is known that no tweet is stored. */
export function nothingStored(): boolean {
  return state.empty;
}

/** Set the moment of the newest stored tweet; null: it is not known, or there is none where `empty`. One in the future, stored
 * with a wrong date, counts as of now: views that end there would show nothing else. */
export function setNewest(moment: string | null, empty = false): void {
  const ahead = moment !== null && Date.parse(moment) > Date.now();
  Object.assign(state, { newest: ahead ? new Date().toISOString() : moment, known: true, empty });
}

export interface Period {
  since: string;
  until: string;
  days: number;
  /** The moment at which the period ends, for `as_of`. */
  asOf: string;
  /** The moment at which it begins. */
  from: string;
  /** Whether the reader chose its end. */
  chosen: boolean;
  /** Whether the address asks for more days than `MOST_DAYS`; the period holds the last of them. */
  shortened: boolean;
  /** Only what is in this data set; undefined: all that is stored. */
  dataset?: string;
}

export function period(): Period {
  const until = dayIn("hasta") ?? dayOf(state.newest ?? new Date());
  const asked = dayIn("desde") ?? addDays(until, 1 - DEFAULT_DAYS);
  const first = addDays(until, 1 - MOST_DAYS);
  const since = asked > until ? until : asked < first ? first : asked;
  const chosen = until === param("hasta");
  return { since, until, days: daysBetween(since, until), asOf: endOf(until), from: startOf(since), chosen, shortened: asked < first, dataset: param("datos") || undefined };
}

/** The same number of days before a period. */
export function periodBefore(present: Period): Period {
  const until = addDays(present.since, -1);
  const since = addDays(until, 1 - present.days);
  return { ...present, since, until, asOf: endOf(until), from: startOf(since) };
}

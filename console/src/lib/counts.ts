// Sums, shares and differences of counts: the only arithmetic of the console. Nothing is estimated or filled in.
import type { components } from "../api/twitter";

export type DailyCount = components["schemas"]["DailyCount"];

/** Below this many tweets a number is drawn thin and not compared. */
export const ENOUGH = 30;
/** Below this many tweets shares are not drawn. */
export const LEAST = 5;
const Z95 = 1.96;

export interface Felt {
  tweets: number;
  scored: number;
  targeted: number;
  positive: number;
  neutral: number;
  negative: number;
}

const NONE: Felt = { tweets: 0, scored: 0, targeted: 0, positive: 0, neutral: 0, negative: 0 };

export function sum(counts: Iterable<Felt>): Felt {
  const total = { ...NONE };
  for (const each of counts) for (const name of Object.keys(NONE) as (keyof Felt)[]) total[name] += each[name];
  return total;
}

/** Each entity's counts between two days, both included. */
export function byEntity(counts: DailyCount[], since: string, until: string): Map<string, DailyCount[]> {
  const found = new Map<string, DailyCount[]>();
  for (const count of counts) {
    if (count.date < since || count.date > until) continue;
    found.set(count.entity, [...(found.get(count.entity) ?? []), count]);
  }
  return found;
}

export type Change = { kind: "thin" } | { kind: "same" } | { kind: "changed"; points: number };

/** How the share of positive tweets changed, in points: `same` within the 95 % error of sampling, `thin` below 30. */
export function changeOfPositive(now: Felt, before: Felt): Change {
  if (now.scored < ENOUGH || before.scored < ENOUGH) return { kind: "thin" };
  const [a, b] = [now.positive / now.scored, before.positive / before.scored];
  const error = Z95 * Math.sqrt((a * (1 - a)) / now.scored + (b * (1 - b)) / before.scored);
  return Math.abs(a - b) <= error ? { kind: "same" } : { kind: "changed", points: 100 * (a - b) };
}

/** The difference of two values with the 95 % bounds that their own bounds give. */
export function difference(a: { value: number; low: number; high: number }, b: { value: number; low: number; high: number }) {
  const value = a.value - b.value;
  const error = Math.hypot((a.high - a.low) / 2, (b.high - b.low) / 2);
  return { value, low: value - error, high: value + error };
}

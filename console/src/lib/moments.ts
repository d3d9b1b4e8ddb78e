// What happened on the days of a time line: changes of level that forecast-service found, what was talked about most, and
// days of which it is known why people talk. A mark says when, never that one thing caused another.
import type { components as Forecasts } from "../api/forecast";
import type { components as Trends } from "../api/trending";
import { dayOf, decimal, signed, whole } from "./format";
import { t } from "./i18n.svelte";
import type { Period } from "./period.svelte";

type Change = Forecasts["schemas"]["Change"];
type Topic = Trends["schemas"]["Topic"];

export interface Moment {
  date: string;
  kind: "level" | "topic" | "day";
  text: string;
  /** The topic, where the moment is its peak. */
  topic?: string;
}

/** The moments of a period, oldest first. */
export function momentsOf(now: Period, changes: Change[], topics: Topic[]): Moment[] {
  const known = changes.flatMap((change) => change.events.map(({ date, name }): Moment => ({ date, kind: "day", text: name })));
  const all = [...changes.map(ofChange), ...topics.map(ofTopic), ...known];
  const seen = new Set<string>();
  return all
    .filter(({ date, text }) => date >= now.since && date <= now.until && !seen.has(date + text) && seen.add(date + text))
    .sort((a, b) => a.date.localeCompare(b.date));
}

function ofChange(change: Change): Moment {
  const text = t(
    `el ICCE pasa de ${decimal(change.before)} a ${decimal(change.after)} (${signed(change.change)} [${signed(change.low)} a ${signed(change.high)}])`,
    `the ICCE goes from ${decimal(change.before)} to ${decimal(change.after)} (${signed(change.change)} [${signed(change.low)} to ${signed(change.high)}])`,
  );
  return { date: change.date, kind: "level", text };
}

function ofTopic(topic: Topic): Moment {
  const text = t(`hora pico de «${topic.topic}», ${whole(topic.tweets)} tuits`, `peak hour of “${topic.topic}”, ${whole(topic.tweets)} tweets`);
  return { date: dayOf(topic.peak_at), kind: "topic", text, topic: topic.topic };
}

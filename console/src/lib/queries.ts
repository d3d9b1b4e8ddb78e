// What the views ask, each question written once. The keys name all that an answer depends on.
import { bodyOf, dataOf, forecast, itemsOf, trending, twitter } from "./client";
import { addDays, endOf } from "./format";
import { MOST_DAYS, type Period } from "./period.svelte";

const FRESH_MS = 15_000;
const LARGE_PAGE = 200;

/** The tracked candidates; those of a data set, and those that belong to all, where one is given. */
export const entities = (dataset?: string) => ({
  queryKey: ["entities", dataset],
  queryFn: () => itemsOf((cursor) => twitter.GET("/v1/twitter/entities", { params: { query: { dataset, cursor } } })),
  staleTime: FRESH_MS,
});

/** The names of entities by their ids. */
export const namesOf = (people: { id: string; name: string }[] = []): Record<string, string> =>
  Object.fromEntries(people.map(({ id, name }) => [id, name]));

export const datasets = () => ({
  queryKey: ["datasets"],
  queryFn: () => itemsOf((cursor) => twitter.GET("/v1/twitter/datasets", { params: { query: { limit: LARGE_PAGE, cursor } } })),
  staleTime: FRESH_MS,
});

export const status = () => ({
  queryKey: ["trending", "status"],
  queryFn: () => dataOf(trending.GET("/v1/trending/status")),
});

/** Counts of all entities by day, from `since` to the end of the period; every page of them. */
export const dailyCounts = (since: string, { until, asOf, dataset }: Period) => ({
  queryKey: ["daily", since, until, dataset],
  queryFn: () =>
    itemsOf((cursor) => twitter.GET("/v1/twitter/counts/daily", { params: { query: { since, until, as_of: asOf, dataset, cursor } } })),
  staleTime: FRESH_MS,
});

export const total = ({ since, until, asOf, dataset }: Period) => ({
  queryKey: ["total", since, until, dataset],
  queryFn: () => dataOf(twitter.GET("/v1/twitter/counts/total", { params: { query: { since, until, as_of: asOf, dataset } } })),
  staleTime: FRESH_MS,
});

export const icce = (entity: string, { until, asOf, dataset, days }: Period, daysBack = days) => ({
  queryKey: ["icce", entity, until, daysBack, dataset],
  queryFn: () =>
    dataOf(
      forecast.GET("/v1/forecast/icce", {
        params: { query: { entity, as_of: asOf, days_back: daysBack, dataset } },
      }),
    ),
  staleTime: FRESH_MS,
});

const LEAST_DAYS = 180;

/** The days on which an index moved to another level; 28 days with an index are needed. */
export const changesOf = (entity: string, { until, asOf, dataset, days }: Period) => ({
  queryKey: ["changes", entity, until, days, dataset],
  queryFn: () =>
    dataOf(
      forecast.GET("/v1/forecast/changes", { params: { query: { entity, as_of: asOf, days_back: Math.min(MOST_DAYS, Math.max(LEAST_DAYS, days)), dataset } } }),
    ),
  staleTime: FRESH_MS,
});

export const voice = ({ since, until, asOf, dataset, days }: Period) => ({
  queryKey: ["voice", since, until, dataset],
  queryFn: () =>
    dataOf(forecast.GET("/v1/forecast/share-of-voice", { params: { query: { as_of: asOf, days_back: days, dataset } } })),
  staleTime: FRESH_MS,
});

/** What burst in the hours up to the end of the period; of one entity, where it is given. */
export const topics = (period: Period, hours: number, limit: number, entity?: string) => ({
  queryKey: ["topics", period.asOf, hours, limit, entity, period.dataset],
  queryFn: () => topicsAt(period.asOf, period, hours, limit, entity),
  staleTime: FRESH_MS,
});

const MOST_DAYS_BACK = 7;

/**
 * The same; where the end of the period is quiet, of the last day in it that is not, a week before at most, if asked to go
 * `back`. `until` is the last day of what was found.
 */
export const lastTopics = (period: Period, hours: number, limit: number, back: boolean) => ({
  queryKey: ["lastTopics", period.asOf, period.since, hours, limit, back, period.dataset],
  queryFn: async () => {
    const atEnd = await topicsAt(period.asOf, period, hours, limit);
    const quiet = { ...atEnd, until: period.until };
    if (!back) return quiet;
    const first = addDays(period.until, -MOST_DAYS_BACK);
    for (let day = addDays(period.until, -1); !atEnd.data.items.length && day >= first && day >= period.since; day = addDays(day, -1)) {
      const found = await topicsAt(endOf(day), period, hours, limit);
      if (found.data.items.length) return { ...found, until: day };
    }
    return quiet;
  },
  staleTime: FRESH_MS,
});

const topicsAt = (as_of: string, { dataset }: Period, window_hours: number, limit: number, entity?: string) =>
  bodyOf(trending.GET("/v1/trending/topics", { params: { query: { as_of, window_hours, limit, entity, dataset } } }));

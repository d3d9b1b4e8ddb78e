// What the views ask, each question written once. The keys name all that an answer depends on.
import { dataOf, bodyOf, forecast, trending, twitter } from "./client";
import type { Period } from "./period.svelte";

const FRESH_MS = 15_000;

export const entities = () => ({
  queryKey: ["entities"],
  queryFn: () => dataOf(twitter.GET("/v1/twitter/entities")).then((data) => data.items),
  staleTime: FRESH_MS,
});

export const status = () => ({
  queryKey: ["trending", "status"],
  queryFn: () => dataOf(trending.GET("/v1/trending/status")),
});

/** Counts of all entities by day, from `since` to the end of the period. */
export const dailyCounts = (since: string, period: Period) => ({
  queryKey: ["daily", since, period.until],
  queryFn: () =>
    dataOf(
      twitter.GET("/v1/twitter/counts/daily", { params: { query: { since, until: period.until, as_of: period.asOf } } }),
    ).then((data) => data.items),
  staleTime: FRESH_MS,
});

export const total = (period: Period) => ({
  queryKey: ["total", period.since, period.until],
  queryFn: () =>
    dataOf(
      twitter.GET("/v1/twitter/counts/total", {
        params: { query: { since: period.since, until: period.until, as_of: period.asOf } },
      }),
    ),
  staleTime: FRESH_MS,
});

export const icce = (entity: string, period: Period, daysBack = period.days) => ({
  queryKey: ["icce", entity, period.until, daysBack],
  queryFn: () =>
    dataOf(
      forecast.GET("/v1/forecast/icce", {
        params: { query: { entity, as_of: period.asOf, days_back: Math.min(730, daysBack) } },
      }),
    ),
  staleTime: FRESH_MS,
});

export const voice = (period: Period) => ({
  queryKey: ["voice", period.since, period.until],
  queryFn: () =>
    dataOf(
      forecast.GET("/v1/forecast/share-of-voice", { params: { query: { as_of: period.asOf, days_back: period.days } } }),
    ),
  staleTime: FRESH_MS,
});

export const topics = (asOf: string, hours: number, limit: number) => ({
  queryKey: ["topics", asOf, hours, limit],
  queryFn: () =>
    bodyOf(
      trending.GET("/v1/trending/topics", { params: { query: { as_of: asOf, window_hours: hours, limit } } }),
    ),
  staleTime: FRESH_MS,
});

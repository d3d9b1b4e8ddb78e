// What watches told.
import type { components } from "../api/trending";
import { itemsOf, trending } from "./client";

type Told = components["schemas"]["WatchEvent"];
const LARGE_PAGE = 500;
/** How far back the console looks. */
export const DAYS_BACK = 30;

/** What a watch told since a day, oldest first as the API lists it, all pages of it. Throws `Refusal`. */
export function toldBy(watch_id: string, since: string): Promise<Told[]> {
  return itemsOf((cursor) =>
    trending.GET("/v1/trending/watches/{watch_id}/events", { params: { path: { watch_id }, query: { since, limit: LARGE_PAGE, cursor } } }),
  );
}

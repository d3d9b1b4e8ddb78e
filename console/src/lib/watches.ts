// What watches told.
import type { components } from "../api/trending";
import { bodyOf, trending } from "./client";

type Told = components["schemas"]["WatchEvent"];
type Page = components["schemas"]["Page_WatchEvent_"];
const PAGE = 500;
/** How far back the console looks. */
export const DAYS_BACK = 30;

/** What a watch told since a day, oldest first as the API lists it, all pages of it. Throws `Refusal`. */
export async function toldBy(watch_id: string, since: string): Promise<Told[]> {
  const found: Told[] = [];
  let cursor: string | null = null;
  do {
    const query: { since: string; limit: number; cursor: string | null } = { since, limit: PAGE, cursor };
    const page: Page = await bodyOf(trending.GET("/v1/trending/watches/{watch_id}/events", { params: { path: { watch_id }, query } }));
    found.push(...page.data.items);
    cursor = page.meta?.next_cursor ?? null;
  } while (cursor);
  return found;
}

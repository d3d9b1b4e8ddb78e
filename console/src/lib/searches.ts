// What the console asks X for.
import type { components } from "../api/twitter";

export type SearchRequest = Pick<components["schemas"]["SearchRequest"], "any_of" | "max_tweets">;

/** A search of posts with one of the words or phrases, which commas separate, at most `count` of them. */
export function searchOf(text: string, count: number): SearchRequest {
  return { any_of: text.split(",").map((each) => each.trim()).filter(Boolean), max_tweets: count };
}

/** Whether both ask for the same, so that the price of one is the price of the other. */
export function isSame(one: SearchRequest | undefined, other: SearchRequest): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

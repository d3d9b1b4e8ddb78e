// The posts of a period, read page by page up to a limit; places, axes and authors are counted in what was read.
import type { components, paths } from "../api/twitter";
import { bodyOf, twitter } from "./client";

export type Post = components["schemas"]["Tweet"];
export type Filters = NonNullable<paths["/v1/twitter/tweets"]["get"]["parameters"]["query"]>;
export type Label = "positive" | "neutral" | "negative";

export const PAGE = 50;
const LARGE_PAGE = 500;
const MOST = 2000;

export const page = (filters: Filters, cursor: string | null) => ({
  queryKey: ["posts", filters, cursor],
  queryFn: () =>
    bodyOf(twitter.GET("/v1/twitter/tweets", { params: { query: { ...filters, limit: PAGE, cursor } } })),
});

export interface Sample {
  posts: Post[];
  /** Whether these are all posts that meet the filters. */
  complete: boolean;
}

export const sample = (filters: Filters) => ({
  queryKey: ["sample", filters],
  queryFn: () => read(filters),
  staleTime: 60_000,
});

async function read(filters: Filters): Promise<Sample> {
  const posts: Post[] = [];
  let cursor: string | null | undefined = null;
  while (posts.length < MOST) {
    const query: Filters = { ...filters, limit: LARGE_PAGE, cursor };
    const body = await bodyOf(twitter.GET("/v1/twitter/tweets", { params: { query } }));
    posts.push(...body.data.items);
    cursor = body.meta.next_cursor;
    if (!cursor) return { posts, complete: true };
  }
  return { posts, complete: false };
}

/** How many posts have each of some values, most frequent first. */
export function countBy(posts: Post[], valuesOf: (post: Post) => string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const post of posts) for (const value of valuesOf(post)) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** The data set of the sample that CASTOR ships. */
export const SAMPLE = "sample";

/** Whether a post is one of the sample's, which nobody wrote and X does not have. */
export function invented(post: Pick<Post, "datasets">): boolean {
  return post.datasets?.includes(SAMPLE) ?? false;
}

/** Likes, reposts, replies and quotes. */
export function reactions(post: Post): number {
  const { like_count = 0, retweet_count = 0, reply_count = 0, quote_count = 0 } = post.metrics ?? {};
  return like_count + retweet_count + reply_count + quote_count;
}

/** What a post feels: towards `entity` where that was scored, else the tone of its text. */
export function feeling(post: Post, entity = ""): { label: Label; score: number; towards: boolean } | null {
  const towards = post.towards?.find((each) => each.entity === entity);
  const found = towards ?? post.sentiment;
  return found ? { label: found.label as Label, score: found[found.label as Label], towards: Boolean(towards) } : null;
}

/** How posts that name a place feel. */
export interface Tone {
  place: string;
  posts: number;
  scored: number;
  positive: number;
  negative: number;
}

/** The tone of each place, towards `entity` where that was scored; most posts first. */
export function toneByPlace(posts: Post[], entity: string): Tone[] {
  const found = new Map<string, Tone>();
  for (const post of posts) {
    const label = feeling(post, entity)?.label;
    for (const place of post.places ?? []) {
      const tone = found.get(place) ?? { place, posts: 0, scored: 0, positive: 0, negative: 0 };
      const { posts, scored, positive, negative } = tone;
      found.set(place, { place, posts: posts + 1, scored: scored + Number(label !== undefined), positive: positive + Number(label === "positive"), negative: negative + Number(label === "negative") });
    }
  }
  return [...found.values()].sort((a, b) => b.posts - a.posts);
}

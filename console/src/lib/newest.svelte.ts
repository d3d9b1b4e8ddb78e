// When the newest stored tweet was written, which ends the period where none is chosen: that of the data set in the address,
// for those who may list data sets, else that of all. Of all, trending-service knows it for every role. Where that is away or
// slow, those who may read posts learn it from the newest one.
import { createQuery } from "@tanstack/svelte-query";
import { dataOf, twitter } from "./client";
import { setNewest } from "./period.svelte";
import { datasets, status } from "./queries";
import { param } from "./route.svelte";
import { may } from "./session.svelte";

const POLL_MS = 30_000;
const PATIENCE_MS = 1_500;

const newestPost = () => ({
  queryKey: ["newest"],
  queryFn: () =>
    dataOf(twitter.GET("/v1/twitter/tweets", { params: { query: { limit: 1 } } })).then(({ items }) => items[0]?.created_at ?? null),
});

/** Keep the newest moment known while a component lives; call it where a component begins. */
export function followNewest(): void {
  let impatient = $state(false);
  const told = createQuery(() => ({ ...status(), enabled: may("trends:read"), refetchInterval: POLL_MS }));
  const follows = $derived(told.data?.newest_tweet_at ?? null);
  // What was stored a moment ago is not followed yet: that there is no tweet is asked of who stores them.
  const doubted = $derived(told.data ? follows === null : impatient || Boolean(told.error) || !may("trends:read"));
  const post = createQuery(() => ({ ...newestPost(), enabled: may("tweets:read") && doubted, refetchInterval: POLL_MS }));
  const set = $derived(may("tweets:read") ? param("datos") : "");
  const sets = createQuery(() => ({ ...datasets(), enabled: set !== "" }));
  const ofSet = $derived(set ? (sets.data?.find(({ name }) => name === set)?.last_tweet_at ?? null) : null);
  const unknown = $derived((told.error || !may("trends:read")) && (post.error || !may("tweets:read")));

  $effect(() => {
    const timer = setTimeout(() => (impatient = true), PATIENCE_MS);
    return () => clearTimeout(timer);
  });
  $effect(() => {
    if (set && sets.isPending) return;
    if (ofSet !== null) setNewest(ofSet);
    else if (follows !== null) setNewest(follows);
    else if (post.data !== undefined) setNewest(post.data, post.data === null);
    else if (told.data && (post.error || !may("tweets:read"))) setNewest(null, true);
    else if (unknown) setNewest(null);
  });
}

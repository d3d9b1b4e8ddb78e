// Sentences over numbers that are in view; they say nothing that the numbers do not.
import type { components } from "../api/trending";
import { changeOfPositive, ENOUGH, sum, type DailyCount } from "./counts";
import { addDays, decimal, hour, percent, signed, whole } from "./format";
import { t } from "./i18n.svelte";
import { periodBefore, type Period } from "./period.svelte";

type Topic = components["schemas"]["Topic"];

/** How the last day differs from the day before, and the period from the one before. */
export function changes(entity: string, counts: DailyCount[], now: Period): string[] {
  const between = (since: string, until: string) =>
    sum(counts.filter((count) => count.entity === entity && count.date >= since && count.date <= until));
  const today = between(now.until, now.until);
  const yesterday = between(addDays(now.until, -1), addDays(now.until, -1));
  const before = periodBefore(now);
  const lines = [`${t("Último día", "Last day")}: ${compared(today, yesterday, t("el día anterior", "the day before"))}`];
  if (now.days > 1) {
    const past = t(`los ${now.days} días anteriores`, `the ${now.days} days before`);
    lines.push(`${t("Período", "Period")}: ${compared(between(now.since, now.until), between(before.since, before.until), past)}`);
  }
  return lines;
}

function compared(now: ReturnType<typeof sum>, before: ReturnType<typeof sum>, past: string): string {
  const tweets = `${whole(now.tweets)} ${t("tuits", "tweets")} (${past}: ${whole(before.tweets)})`;
  const change = changeOfPositive(now, before);
  if (change.kind === "thin") return `${tweets}, ${t("muy pocos para comparar el tono.", "too few to compare the tone.")}`;
  if (change.kind === "same") return `${tweets}, ${t("tono sin cambio claro.", "no clear change of tone.")}`;
  return `${tweets}, ${t("positivos", "positive")} ${signed(change.points, 0)} pp.`;
}

/** Why a topic is one, from its numbers. */
export function topicSentence(topic: Topic, hours: number): string {
  const said = t(
    `${whole(topic.tweets)} tuits de ${whole(topic.authors)} cuentas en ${hours} h`,
    `${whole(topic.tweets)} tweets from ${whole(topic.authors)} accounts in ${hours} h`,
  );
  const usual =
    topic.expected < 1
      ? t("casi nada habitual", "hardly any usually")
      : t(
          `${decimal(topic.tweets / topic.expected)}× lo habitual (${decimal(topic.expected)})`,
          `${decimal(topic.tweets / topic.expected)}× the usual (${decimal(topic.expected)})`,
        );
  const since = t(`desde las ${hour(topic.first_seen_at)}`, `since ${hour(topic.first_seen_at)}`);
  const thin = topic.tweets < ENOUGH ? t(" Pocos tuits.", " Few tweets.") : "";
  return `${said}, ${usual}, ${since}.${thin}`;
}

/** What a watch told, from the numbers of its event. */
export function watchSentence({ kind, body }: { kind: string; body: Record<string, unknown> }): string {
  const n = (name: string) => Number(body[name] ?? 0);
  const topic = body.topic as Topic | undefined;
  if (kind === "trend.started" && topic) {
    return t(
      `empieza «${topic.topic}»: ${whole(topic.tweets)} tuits de ${whole(topic.authors)} cuentas`,
      `“${topic.topic}” starts: ${whole(topic.tweets)} tweets from ${whole(topic.authors)} accounts`,
    );
  }
  if (kind === "volume.rose") {
    const times = `${decimal(n("ratio"))}×`;
    return t(
      `${whole(n("tweets_last_hour"))} tuits en la última hora, ${times} lo habitual (${decimal(n("usual_an_hour"))})`,
      `${whole(n("tweets_last_hour"))} tweets in the last hour, ${times} the usual (${decimal(n("usual_an_hour"))})`,
    );
  }
  if (kind === "sentiment.fell") {
    const [now, before] = [percent(n("negative_share_3h"), n("scored_3h")), percent(n("negative_share_24h_before"), n("scored_24h_before"))];
    return t(
      `negativos ${now} en 3 h (n ${whole(n("scored_3h"))}), antes ${before} (n ${whole(n("scored_24h_before"))})`,
      `negative ${now} in 3 h (n ${whole(n("scored_3h"))}), before ${before} (n ${whole(n("scored_24h_before"))})`,
    );
  }
  if (kind === "coordination.suspected") {
    return t(`coordinación sospechada de ${whole(n("members"))} cuentas`, `suspected coordination of ${whole(n("members"))} accounts`);
  }
  return kind === "test" ? t("mensaje de prueba", "test message") : kind;
}

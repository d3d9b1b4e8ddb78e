// Sentences over numbers that are in view; they say nothing that the numbers do not.
import type { components } from "../api/trending";
import { changeOfPositive, ENOUGH, sum, type DailyCount } from "./counts";
import { addDays, counted, decimal, hour, percent, signed, whole } from "./format";
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
  const tweets = `${counted(now.tweets, t("tuit", "tweet"), t("tuits", "tweets"))} (${past}: ${whole(before.tweets)})`;
  const change = changeOfPositive(now, before);
  if (change.kind === "thin") return `${tweets}, ${t("muy pocos para comparar el tono.", "too few to compare the tone.")}`;
  if (change.kind === "same") return `${tweets}, ${t("tono sin cambio claro.", "no clear change of tone.")}`;
  return `${tweets}, ${t("positivos", "positive")} ${signed(change.points, 0)} pp.`;
}

interface Bounded {
  value: number;
  low: number;
  high: number;
}

/** What a forecast expects of a day, and whether that differs from the index of the period, where there is one. */
export function aheadSentences(ahead: Bounded, level: number, present: number | null): string[] {
  const [low, high, of] = [decimal(ahead.low), decimal(ahead.high), percent(level, 1)];
  const lines = [t(`Lo esperado es ${decimal(ahead.value)}; con probabilidad del ${of}, entre ${low} y ${high}.`, `${decimal(ahead.value)} is expected; with a probability of ${of}, between ${low} and ${high}.`)];
  if (present === null) return lines;
  const now = decimal(present);
  if (present >= ahead.low && present <= ahead.high) {
    return [...lines, t(`No anticipa un cambio claro: el ICCE del período, ${now}, cae dentro de ese margen.`, `It foresees no clear change: the period's ICCE, ${now}, is within that interval.`)];
  }
  const up = ahead.value > present;
  return [...lines, t(`Anticipa que ${up ? "suba" : "baje"}: el ICCE del período, ${now}, queda fuera de ese margen.`, `It foresees a ${up ? "rise" : "fall"}: the period's ICCE, ${now}, is outside that interval.`)];
}

/** How well a forecast did in the past: its skill over the last value and the coverage of its interval, where known. */
export function trustSentences({ skill, coverage, level }: { skill: number | null; coverage?: number | null; level: number }): string[] {
  const lines: string[] = [];
  if (skill !== null && skill > 0) {
    lines.push(t(`En pruebas con días pasados se equivocó un ${percent(skill, 1)} menos que repetir el último valor.`, `In tests on past days it erred ${percent(skill, 1)} less than repeating the last value.`));
  } else if (skill !== null) {
    lines.push(t("No mejora a repetir el último valor; léelo como una repetición.", "It does no better than repeating the last value; read it as that."));
  }
  if (coverage != null) {
    lines.push(t(`De esos días, el ${percent(coverage, 1)} cayó en su margen del ${percent(level, 1)}.`, `Of those days, ${percent(coverage, 1)} fell within its interval of ${percent(level, 1)}.`));
  }
  return lines;
}

function byAccounts({ tweets, authors }: { tweets: number; authors: number }): string {
  return `${counted(tweets, t("tuit", "tweet"), t("tuits", "tweets"))} ${t("de", "from")} ${counted(authors, t("cuenta", "account"), t("cuentas", "accounts"))}`;
}

/** Why a topic is one, from its numbers. */
export function topicSentence(topic: Topic, hours: number): string {
  const said = `${byAccounts(topic)} ${t("en", "in")} ${hours} h`;
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
    return t(`empieza «${topic.topic}»: ${byAccounts(topic)}`, `“${topic.topic}” starts: ${byAccounts(topic)}`);
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

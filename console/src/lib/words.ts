// The names of what the services write as slugs.
import type { components } from "../api/forecast";
import { t } from "./i18n.svelte";

export const AXES = [
  "seguridad", "infraestructura", "gobernanza", "educacion", "salud", "igualdad", "paz", "economia", "medioambiente", "alimentacion",
] as const; // prettier-ignore

const ENGLISH: Record<string, string> = {
  seguridad: "security", infraestructura: "infrastructure", gobernanza: "governance", educacion: "education", salud: "health",
  igualdad: "equality", paz: "peace", economia: "economy", medioambiente: "environment", alimentacion: "food",
}; // prettier-ignore

export function axisName(axis: string): string {
  const spanish: Record<string, string> = { educacion: "educación", economia: "economía", alimentacion: "alimentación", medioambiente: "medio ambiente" };
  return t(spanish[axis] ?? axis, ENGLISH[axis] ?? axis);
}

export function labelName(label: string): string {
  const names: Record<string, string> = {
    positive: t("positivo", "positive"),
    neutral: t("neutral", "neutral"),
    negative: t("negativo", "negative"),
  };
  return names[label] ?? label;
}

/** The state of an import. */
export function stateName(state: string): string {
  const names: Record<string, string> = {
    running: t("leyendo", "reading"),
    done: t("leído", "read"),
    failed: t("falló", "failed"),
    interrupted: t("interrumpido", "interrupted"),
  };
  return names[state] ?? state;
}

type Schemas = components["schemas"];
type Noted = "EntityForecast" | "ScenarioAnswer" | "PollAverage";
/** What an answer of forecast-service notes about itself. */
export type Note = { [Name in Noted]: NonNullable<Schemas[Name]["notes"]>[number] }[Noted];

/** A note in words. */
export function noteText(note: Note): string {
  const texts: Record<Note, string> = {
    no_skill: t("No mejora a repetir el último valor.", "It does no better than repeating the last value."),
    skill_unknown: t("Hay muy pocos días para saber si acierta.", "There are too few days to know whether it is right."),
    recent_jump: t("Uno de los últimos 7 días saltó más que nunca antes; el margen abarca ambos niveles.", "One of the last 7 days jumped farther than any before; the interval covers both levels."),
    intervals_too_narrow: t("En el pasado el margen acertó menos de lo que promete: es mayor de lo que se ve.", "In the past the interval held less than it promises: it is wider than shown."),
    stale: t("Los datos no llegan hasta el último día completo.", "The data do not reach the last whole day."),
    assumption_not_forecast: t("Que el pasado reaccionara así no muestra una causa.", "That the past reacted so shows no cause."),
    shift_was_cut: t("El cambio se recortó: el ISN no pasa de −1 ni de 1.", "The change was cut: ISN stays between −1 and 1."),
    few_polls: t("Son menos de 8: el margen viene sobre todo de supuestos.", "There are fewer than 8: the interval comes mostly from assumptions."),
    polls_share_errors: t("Un error que comparten todas las encuestas no está en el margen.", "An error that all polls share is in no interval."),
    conversation_is_not_votes: t("Describe lo que se dice; no predice un resultado.", "It describes what is said and predicts no result."),
  };
  return texts[note] ?? note;
}

/** How a forecast was made. */
export function methodName(method: string): string {
  const names: Record<string, string> = {
    ensemble: t("promedio de varios modelos según su acierto", "average of several models by their accuracy"),
    naive: t("el último valor, repetido", "the last value, repeated"),
  };
  return names[method] ?? method;
}

export function periodName(period: string): string {
  const names: Record<string, string> = { daily: t("por día", "a day"), monthly: t("por mes", "a month") };
  return names[period] ?? period;
}

/** A browser by its header User-Agent: "Chrome, Windows"; the header itself where it is none that is known. */
export function browserName(agent: string): string {
  const browsers: [RegExp, string][] = [[/Edg\//, "Edge"], [/OPR\//, "Opera"], [/Firefox\//, "Firefox"], [/Chrome\//, "Chrome"], [/Safari\//, "Safari"]];
  const systems: [RegExp, string][] = [[/iPhone|iPad/, "iOS"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS X/, "macOS"], [/Linux/, "Linux"]];
  const named = [browsers, systems].map((known) => known.find(([pattern]) => pattern.test(agent))?.[1]);
  return named.every(Boolean) ? named.join(", ") : agent || "—";
}

/** Whose a budget of X is: of all, of a purpose, or the share of it of the reader's organisation or of the reader. */
export function budgetName({ level, name }: { level: string; name: string }): string {
  const purposes: Record<string, string> = { analysis: t("análisis", "analysis"), trending: t("tendencias", "trends") };
  const purpose = name.split(" for ").at(-1) ?? name;
  const named = purposes[purpose] ?? purpose;
  if (level === "organisation") return t(`tu organización en ${named}`, `your organisation's ${named}`);
  if (level === "all") return t("toda la cuenta de X", "the whole account of X");
  return level === "purpose" ? named : t(`tu parte en ${named}`, `your share of ${named}`);
}

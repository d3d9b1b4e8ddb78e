// Numbers and times as es-CO (or en) writes them. Days and hours are those of Bogotá, which has no summer time.
import { language } from "./i18n.svelte";

const ZONE = "America/Bogota";
const DAY_MS = 86_400_000;
const HOURS_BEHIND = 5;

function locale(): string {
  return language() === "es" ? "es-CO" : "en-GB";
}

// Making one takes a hundred times as long as using it, and a view writes hundreds of numbers and days.
const made = new Map<string, unknown>();

function once<Format>(options: object, make: (locale: string) => Format): Format {
  const key = locale() + JSON.stringify(options);
  const found = (made.get(key) as Format | undefined) ?? make(locale());
  made.set(key, found);
  return found;
}

function formatter(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return once(options, (locale) => new Intl.NumberFormat(locale, options));
}

export function whole(value: number): string {
  return formatter({ maximumFractionDigits: 0 }).format(value);
}

/** "1 tema", "2 temas": a number and what it counts. */
export function counted(value: number, one: string, many: string): string {
  return `${whole(value)} ${value === 1 ? one : many}`;
}

export function decimal(value: number, digits = 1): string {
  return formatter({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
}

export function signed(value: number, digits = 1): string {
  return formatter({ minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: "exceptZero" }).format(value);
}

export function money(value: number): string {
  return `US$ ${decimal(value, 2)}`;
}

/** A share in [0, 1] of `n` as a percentage: whole below 1.000, never 0 % or 100 % for what is not. */
export function percent(share: number, n: number): string {
  const sign = language() === "es" ? "\u00a0%" : "%";
  if (share > 0 && share < 0.01) return `<1${sign}`;
  if (share < 1 && share > 0.99) return `>99${sign}`;
  return decimal(100 * share, n < 1000 || share === 0 || share === 1 ? 0 : 1) + sign;
}

function parts(moment: Date, options: Intl.DateTimeFormatOptions): Record<string, string> {
  const all = { timeZone: ZONE, hourCycle: "h23", ...options } as const;
  const found = once(all, (locale) => new Intl.DateTimeFormat(locale, all)).formatToParts(moment);
  return Object.fromEntries(found.map((part) => [part.type, part.value]));
}

/** "29 may 2026" of a day `2026-05-29` or of a moment; without the year where `short`. */
export function day(value: string, short = false): string {
  const moment = new Date(value.length === 10 ? `${value}T12:00:00Z` : value);
  const found = parts(moment, { day: "numeric", month: "short", year: "numeric" });
  const written = (found.month ?? "").replace(".", "");
  const month = language() === "es" ? written.toLowerCase() : written;
  return short ? `${found.day} ${month}` : `${found.day} ${month} ${found.year}`;
}

/** "29 may 2026, 15:05". */
export function time(value: string): string {
  const found = parts(new Date(value), { hour: "2-digit", minute: "2-digit" });
  return `${day(value)}, ${found.hour}:${found.minute}`;
}

export function hour(value: string): string {
  const found = parts(new Date(value), { hour: "2-digit", minute: "2-digit" });
  return `${found.hour}:${found.minute}`;
}

/** The day in Bogotá of a moment, as `2026-05-29`. */
export function dayOf(moment: Date | string): string {
  return new Date(new Date(moment).getTime() - HOURS_BEHIND * 3_600_000).toISOString().slice(0, 10);
}

export function addDays(value: string, count: number): string {
  return new Date(Date.parse(`${value}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Days from `since` to `until`, both counted. */
export function daysBetween(since: string, until: string): number {
  return Math.round((Date.parse(until) - Date.parse(since)) / DAY_MS) + 1;
}

/** The moment at which a day of Bogotá begins. */
export function startOf(value: string): string {
  return `${value}T05:00:00Z`;
}

/** The moment at which a day of Bogotá ends; services leave out what comes later. */
export function endOf(value: string): string {
  return startOf(addDays(value, 1));
}

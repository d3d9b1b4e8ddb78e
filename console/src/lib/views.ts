// The views: their addresses, names and what one must be allowed to see them.
import type { Component } from "svelte";
import { t } from "./i18n.svelte";

interface View {
  path: string;
  key: string;
  name: () => string;
  main: boolean;
  /** Whether it speaks of a period. */
  dated?: boolean;
  /** Whether it has nothing to show while no tweet is stored. */
  reads?: boolean;
  load: () => Promise<{ default: Component }>;
}

const LATER_MS = 3_000;

/** All views; those of the main navigation first. `key` follows `g` on the keyboard. */
export const VIEWS: View[] = [
  { path: "/", key: "p", name: () => t("Panorama", "Overview"), main: true, dated: true, reads: true, load: () => import("../views/Overview.svelte") },
  { path: "/candidaturas", key: "c", name: () => t("Candidaturas", "Candidates"), main: true, dated: true, reads: true, load: () => import("../views/Candidate.svelte") },
  { path: "/comparar", key: "m", name: () => t("Comparar", "Compare"), main: true, dated: true, reads: true, load: () => import("../views/Compare.svelte") },
  { path: "/tendencias", key: "t", name: () => t("Tendencias", "Trends"), main: true, dated: true, reads: true, load: () => import("../views/Trends.svelte") },
  { path: "/pronostico", key: "f", name: () => t("Pronóstico", "Forecast"), main: true, dated: true, load: () => import("../views/Forecast.svelte") },
  { path: "/preguntar", key: "q", name: () => t("Preguntar", "Ask"), main: true, dated: true, reads: true, load: () => import("../views/Ask.svelte") },
  { path: "/explorar", key: "e", name: () => t("Explorar", "Explore"), main: true, dated: true, reads: true, load: () => import("../views/Explore.svelte") },
  { path: "/fuentes", key: "u", name: () => t("Fuentes", "Sources"), main: true, load: () => import("../views/Sources.svelte") },
  { path: "/alertas", key: "w", name: () => t("Alertas", "Watches"), main: false, load: () => import("../views/Watches.svelte") },
  { path: "/informe", key: "i", name: () => t("Informe", "Report"), main: false, dated: true, reads: true, load: () => import("../views/Report.svelte") },
  { path: "/consumo", key: "o", name: () => t("Consumo", "Usage"), main: false, load: () => import("../views/Usage.svelte") },
  { path: "/estado", key: "s", name: () => t("Estado", "Health"), main: false, load: () => import("../views/Health.svelte") },
  { path: "/cuenta", key: "a", name: () => t("Cuenta", "Account"), main: false, load: () => import("../views/Account.svelte") },
];

/** The view of an address: `/candidaturas/ana` is one of `/candidaturas`. */
export function viewOf(path: string): View | undefined {
  return VIEWS.find((view) => view.path === path || (view.path !== "/" && path.startsWith(`${view.path}/`)));
}

let others = false;

/** Fetch the files of all views, one after another, once the first is read: opening one then waits for its data only. */
export function loadOthers(): void {
  if (others) return;
  others = true;
  setTimeout(async () => {
    for (const view of VIEWS) await view.load().catch(() => undefined);
  }, LATER_MS);
}

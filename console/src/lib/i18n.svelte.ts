// Two languages. Every text stands where it is shown, in both: `t("Volumen", "Volume")`.
export type Language = "es" | "en";

const KEY = "castor.language";
const state = $state<{ language: Language }>({ language: stored() });

function stored(): Language {
  return localStorage.getItem(KEY) === "en" ? "en" : "es";
}

/** The text in the chosen language. */
export function t(spanish: string, english: string): string {
  return state.language === "es" ? spanish : english;
}

export function language(): Language {
  return state.language;
}

export function setLanguage(chosen: Language): void {
  state.language = chosen;
  localStorage.setItem(KEY, chosen);
  document.documentElement.lang = chosen === "es" ? "es-CO" : "en";
}

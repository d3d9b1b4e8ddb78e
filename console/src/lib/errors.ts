// What a refusal means, in the reader's language; the services write English sentences for developers.
import { Refusal } from "./client";
import { t } from "./i18n.svelte";

const SENTENCES: Record<string, (error: Refusal) => string> = {
  offline: () => t("Sin conexión a la red.", "You are offline."),
  unreachable: () => t("El servidor no responde.", "The server does not answer."),
  unavailable: () => t("Esa parte del sistema no responde ahora.", "That part of the system does not answer now."),
  peer_unavailable: () => t("Una parte del sistema de la que depende no responde.", "A part that it depends on does not answer."),
  peer_timeout: () => t("Una parte del sistema de la que depende tardó demasiado.", "A part that it depends on took too long."),
  deadline_exceeded: () => t("Tardó demasiado; pida menos o reintente.", "It took too long; ask for less or try again."),
  rate_limited: () => t("Demasiadas consultas seguidas; espere un momento.", "Too many requests; wait a moment."),
  overloaded: () => t("El sistema está ocupado; espere un momento.", "The system is busy; wait a moment."),
  forbidden: () => t("Tu rol no permite ver esto.", "Your role does not allow this."),
  unauthenticated: () => t("Tu sesión venció.", "Your session has ended."),
  access_denied: () => t("No se permitió el acceso.", "Access was not granted."),
  invalid_grant: () => t("El acceso tardó demasiado o ya se usó; entra de nuevo.", "Signing in took too long or was used; sign in again."),
  invalid_client: () => t("El sistema no conoce esta consola; avisa a quien lo administra.", "The system does not know this console; tell whoever runs it."),
  invalid_credentials: () => t("La clave no coincide.", "The password is wrong."),
  invalid_code: () => t("El código no es válido o ya se usó.", "The code is wrong or was used before."),
  invalid_mfa_token: () => t("El paso anterior venció; entra de nuevo.", "The first step has expired; sign in again."),
  too_many_attempts: () => t("Demasiados intentos.", "Too many attempts."),
  invalid: () => t("Lo enviado no es válido.", "What was sent is not valid."),
  unusable_polls: (error) => `${t("El archivo de encuestas no se puede usar:", "The file of polls cannot be used:")} ${error.message}`,
  too_few_days: () => t("Hay muy pocos días con datos.", "Too few days have data."),
  too_few_tweets: () => t("No hay tuits en este período.", "There are no tweets in this period."),
  entity_not_found: () => t("No se sigue a esa persona.", "That person is not tracked."),
  dataset_not_found: () => t("No hay un conjunto de datos con ese nombre.", "There is no data set of that name."),
  too_many_saved_views: () => t("Hay demasiadas vistas guardadas; olvida una.", "There are too many saved views; forget one."),
  not_found: () => t("No existe.", "It does not exist."),
  x_not_configured: () => t("Falta la llave de X; los archivos funcionan igual.", "X has no key; files work all the same."),
  budget_exceeded: () => t("No alcanza el presupuesto de X.", "The budget of X does not suffice."),
  unsupported_media_type: () => t("Ese tipo de archivo no se puede leer.", "Files of that kind cannot be read."),
  payload_too_large: () => t("El archivo es demasiado grande.", "The file is too large."),
};

/** One sentence for the reader. */
export function sentence(error: unknown): string {
  if (!(error instanceof Refusal)) return String(error);
  return SENTENCES[error.code]?.(error) ?? `${t("El sistema respondió", "The system answered")}: ${error.message || error.code}`;
}

/** What support needs to find it: code and id of the request. */
export function reference(error: unknown): string {
  return error instanceof Refusal ? [error.code, error.requestId].filter(Boolean).join(" · ") : "";
}

export function isForbidden(error: unknown): boolean {
  return error instanceof Refusal && error.status === 403;
}

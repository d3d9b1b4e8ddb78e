// What a refusal means, in the reader's language; the services write English sentences for developers.
import { Refusal } from "./client";
import { t } from "./i18n.svelte";

const SENTENCES: Record<string, (error: Refusal) => string> = {
  offline: () => t("Sin conexión a la red.", "You are offline."),
  unreachable: () => t("El servidor no responde.", "The server does not answer."),
  no_answer: () => t("Esa parte del sistema no contestó a tiempo.", "That part of the system did not answer in time."),
  unavailable: () => t("Esa parte del sistema no responde ahora.", "That part of the system does not answer now."),
  peer_unavailable: () => t("Una parte del sistema de la que depende no responde.", "A part that it depends on does not answer."),
  peer_timeout: () => t("Una parte del sistema de la que depende tardó demasiado.", "A part that it depends on took too long."),
  deadline_exceeded: () => t("Tardó demasiado; pide menos o reintenta.", "It took too long; ask for less or try again."),
  rate_limited: () => t("Demasiadas consultas seguidas; espera un momento.", "Too many requests; wait a moment."),
  overloaded: () => t("El sistema está ocupado; espera un momento.", "The system is busy; wait a moment."),
  forbidden: () => t("Tu rol no permite ver esto.", "Your role does not allow this."),
  unauthenticated: () => t("Tu sesión venció.", "Your session has ended."),
  access_denied: () => t("No se permitió el acceso.", "Access was not granted."),
  invalid_grant: () => t("El acceso tardó demasiado o ya se usó; entra de nuevo.", "Signing in took too long or was used; sign in again."),
  invalid_client: () => t("El sistema no conoce esta consola; avisa a quien lo administra.", "The system does not know this console; tell whoever runs it."),
  wrong_password: () => t("La clave actual no coincide.", "The present password is wrong."),
  weak_password: (error) => `${t("La clave nueva no sirve:", "The new password will not do:")} ${error.message}`,
  mfa_conflict: () => t("El segundo paso ya está en ese estado; recarga la página.", "The second factor is in that state already; reload the page."),
  scope_not_held: () => t("Una llave no puede tener permisos que tú no tienes.", "A key cannot have permissions that you do not have."),
  too_many_api_keys: () => t("Tienes demasiadas llaves; revoca una.", "You have too many keys; revoke one."),
  outbox_full: () => t("Ahora no se pueden enviar correos; reintenta más tarde.", "Mails cannot be sent at present; try again later."),
  model_unavailable: () => t("El modelo de sentimiento no está listo.", "The model of sentiment is not ready."),
  invalid_code: () => t("El código no es válido o ya se usó.", "The code is wrong or was used before."),
  too_many_attempts: () => t("Demasiados intentos.", "Too many attempts."),
  validation_error: () => t("Lo enviado no es válido.", "What was sent is not valid."),
  malformed_request: () => t("Lo enviado no se puede leer.", "What was sent cannot be read."),
  conflict: () => t("Eso contradice lo que ya está guardado.", "That contradicts what is stored."),
  internal_error: () => t("El sistema falló; avisa a quien lo administra.", "The system failed; tell whoever runs it."),
  database_unavailable: () => t("La base de datos no responde ahora; reintenta en un momento.", "The database does not answer now; try again in a moment."),
  database_slow: () => t("La base de datos tardó demasiado; pide menos o reintenta.", "The database took too long; ask for less or try again."),
  peer_failed: () => t("Una parte del sistema de la que depende falló.", "A part that it depends on failed."),
  peer_rejected: () => t("Una parte del sistema de la que depende rechazó la solicitud.", "A part that it depends on refused the request."),
  body_too_slow: () => t("Lo enviado llegó demasiado despacio; inténtalo con mejor conexión.", "What was sent arrived too slowly; try a better connection."),
  idempotency_in_flight: () => t("Esa solicitud ya está en marcha; espera un momento.", "That request is under way; wait a moment."),
  idempotency_key_reused: () => t("Eso ya se envió de otro modo; pide de nuevo la vista previa.", "That was sent in another form; ask for the preview again."),
  unusable_polls: (error) => `${t("El archivo de encuestas no se puede usar:", "The file of polls cannot be used:")} ${error.message}`,
  too_few_days: () => t("Hay muy pocos días con datos.", "Too few days have data."),
  too_few_events: () => t("Muy pocos de los días elegidos tienen índice; elige más, o mueve los controles.", "Too few of the days chosen have an index; choose more, or move the sliders."),
  too_few_polls: () => t("Hay muy pocas encuestas terminadas a esa fecha.", "Too few polls had ended by that day."),
  upload_broken: () => t("El archivo no llegó entero; súbelo de nuevo.", "The file did not arrive whole; upload it again."),
  filter_unknown: () => t("Ningún documento guardado es de esa persona o de ese conjunto.", "No stored document is of that person or data set."),
  scope_not_found: () => t("Ningún tuit guardado es de esa persona o de ese conjunto.", "No stored tweet is of that person or data set."),
  too_few_tweets: () => t("Ningún tuit del período nombra a alguien que se siga.", "No tweet of the period names anybody who is tracked."),
  entity_not_found: () => t("No se sigue a esa persona.", "That person is not tracked."),
  entity_exists: () => t("Ya se sigue a alguien con ese nombre.", "Somebody of that name is tracked already."),
  dataset_not_found: () => t("No hay un conjunto de datos con ese nombre.", "There is no data set of that name."),
  too_many_saved_views: () => t("Hay demasiadas vistas guardadas; olvida una.", "There are too many saved views; forget one."),
  not_found: () => t("No existe.", "It does not exist."),
  x_not_configured: () => t("Falta la llave de X; los archivos funcionan igual.", "X has no key; files work all the same."),
  x_unavailable: () => t("X no responde; reintenta más tarde.", "X does not answer; try again later."),
  x_allowance_spent: () => t("X no atiende más solicitudes por ahora; reintenta más tarde.", "X takes no more requests for now; try again later."),
  x_limits_unavailable: () => t("Ahora no se puede llevar la cuenta de lo pedido a X; reintenta en un momento.", "What is asked of X cannot be counted now; try again in a moment."),
  x_unauthorized: () => t("X rechazó la llave; avisa a quien administra el sistema.", "X refused the key; tell whoever runs the system."),
  x_rejected: (error) => `${t("X rechazó la búsqueda:", "X refused the search:")} ${error.message}`,
  search_empty: () => t("Escribe al menos una palabra.", "Write one word at least."),
  search_term_empty: () => t("Cada palabra o frase necesita una letra, un número o un emoji.", "Every word or phrase needs a letter, a digit or an emoji."),
  search_too_long: () => t("La búsqueda es demasiado larga; acorta las frases.", "The search is too long; shorten the phrases."),
  search_window: () => t("X no llega tan atrás.", "X does not reach back so far."),
  search_window_empty: () => t("La búsqueda termina antes de empezar.", "The search ends before it begins."),
  archive_not_enabled: () => t("El archivo completo de X no está activado.", "The full archive of X is not enabled."),
  budget_spent: () => t("No alcanza el presupuesto de X.", "The budget of X does not suffice."),
  unsupported_media_type: () => t("Ese tipo de archivo no se puede leer.", "Files of that kind cannot be read."),
  import_empty: () => t("El archivo no trae tuits.", "The file holds no tweets."),
  import_missing_columns: (error) => `${t("Faltan columnas; se necesitan id, username, created_at y text:", "Columns are missing; id, username, created_at and text are needed:")} ${error.message}`,
  import_repeated_column: (error) => `${t("Una columna está dos veces:", "A column is there twice:")} ${error.message}`,
  import_bad_columns: (error) => `${t("Las columnas indicadas no sirven:", "The columns given cannot be used:")} ${error.message}`,
  import_not_utf8: () => t("El texto del archivo no está en UTF-8; guárdalo como «CSV UTF-8».", "The text of the file is not UTF-8; save it as “CSV UTF-8”."),
  import_not_utf16: () => t("El texto del archivo está dañado; guárdalo como «CSV UTF-8».", "The text of the file is broken; save it as “CSV UTF-8”."),
  import_broken_archive: () => t("El .zip está dañado; créalo de nuevo.", "The .zip is broken; make it again."),
  import_archive_not_single: () => t("El .zip debe traer un solo archivo de tuits.", "The .zip must hold one file of tweets only."),
  import_broken_workbook: () => t("El libro de Excel está dañado o tiene clave; guárdalo como CSV UTF-8.", "The Excel workbook is broken or has a password; save it as CSV UTF-8."),
  import_broken_gzip: () => t("El .gz está dañado; créalo de nuevo.", "The .gz is broken; make it again."),
  import_unpacked_too_large: () => t("Descomprimido, el archivo es demasiado grande; divídelo.", "Unpacked, the file is too large; split it."),
  import_database_file: () => t("Es una base de datos; exporta de ella una tabla como CSV.", "That is a database; export a table of it as CSV."),
  import_upload_broken: () => t("El archivo no llegó entero; súbelo de nuevo.", "The file did not arrive whole; upload it again."),
  import_bad_form: () => t("El archivo no llegó bien; súbelo de nuevo.", "The file did not arrive well; upload it again."),
  import_taken_over: () => t("El mismo archivo se subió otra vez mientras esta subida no avanzaba; sigue con aquella.", "The same file was uploaded again while this upload made no progress; that one goes on."),
  import_differs: () => t("El archivo empieza igual que uno que quedó a medias, pero es otro; sube antes aquel de nuevo.", "The file begins like one that was interrupted, but is another; upload that one again first."),
  too_many_entities: () => t("Se sigue a demasiadas personas; quita una.", "Too many people are tracked; remove one."),
  too_many_watches: () => t("Tienes demasiadas alertas; quita una.", "You have too many watches; remove one."),
  too_many_scopes: () => t("Tus alertas nombran a demasiadas personas; quita las de una.", "Your watches name too many people; remove those of one."),
  webhooks_off: () => t("Este sistema no envía a direcciones; deja vacía la dirección y mira los avisos aquí.", "This system sends to no addresses; leave the address empty and read notices here."),
  data_too_old: () => t("Los datos terminan mucho antes de ese día; elige un período más cercano a ellos.", "The data end long before that day; choose a period closer to them."),
  counts_change_over: () => t("Los conteos cambian ahora a otro modelo de sentimiento; reintenta en unos minutos.", "Counts are changing over to another model of sentiment; try again in some minutes."),
  body_too_large: () => t("El archivo es demasiado grande.", "The file is too large."),
};

/** One sentence for the reader. */
export function sentence(error: unknown): string {
  if (!(error instanceof Refusal)) return String(error);
  // What of a list is not there has a code of its own: tweet_not_found, session_not_found.
  const code = error.code in SENTENCES || !error.code.endsWith("_not_found") ? error.code : "not_found";
  return SENTENCES[code]?.(error) ?? `${t("El sistema respondió", "The system answered")}: ${error.message || error.code}`;
}

/** What support needs to find it: code and id of the request. */
export function reference(error: unknown): string {
  return error instanceof Refusal ? [error.code, error.requestId].filter(Boolean).join(" · ") : "";
}

const ABSENCES = ["too_few_tweets", "too_few_days", "entity_not_found", "dataset_not_found"];

/** Whether nothing failed: there is just nothing to answer from. */
export function isAbsence(error: unknown): boolean {
  return error instanceof Refusal && ABSENCES.includes(error.code);
}

export function isForbidden(error: unknown): boolean {
  return error instanceof Refusal && error.status === 403;
}

// Polls that the reader gave as a file. They stay in this tab: forecast-service averages them and stores nothing.
const KEY = "castor.polls";
const state = $state<{ text: string; name: string }>(stored());

function stored(): { text: string; name: string } {
  return JSON.parse(sessionStorage.getItem(KEY) ?? '{"text":"","name":""}');
}

export function polls(): { text: string; name: string } {
  return state;
}

/** Keep a file of polls for this tab; an empty text forgets it. */
export function keepPolls(name: string, text: string): void {
  Object.assign(state, { name, text });
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ name, text }));
  } catch {
    // A file too large for the tab's storage is kept until the page is reloaded.
    sessionStorage.removeItem(KEY);
  }
}

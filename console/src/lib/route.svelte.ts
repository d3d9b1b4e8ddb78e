// The address is the state of a view: `#/explorar?q=represa&hasta=2026-05-31`. What follows the # stays in the browser,
// so that filters do not reach the logs of a proxy, and no server needs a rule for it.
interface Route {
  path: string;
  params: URLSearchParams;
}

function read(): Route {
  // A question mark within a value counts as text: links are also written by hand.
  const [path = "", ...query] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/", params: new URLSearchParams(query.join("?")) };
}

const state = $state<{ route: Route }>({ route: read() });
addEventListener("hashchange", () => (state.route = read()));

export function path(): string {
  return state.route.path;
}

export function param(name: string): string {
  return state.route.params.get(name) ?? "";
}

/** Parameters that every view keeps. */
const KEPT = ["desde", "hasta", "datos"];

/** The address of a view, with the period and data set of the present one. */
export function href(target: string, params: Record<string, string> = {}): string {
  const query = new URLSearchParams();
  for (const name of KEPT) if (param(name)) query.set(name, param(name));
  for (const [name, value] of Object.entries(params)) value ? query.set(name, value) : query.delete(name);
  const text = query.toString();
  return `#${target}${text ? `?${text}` : ""}`;
}

/** Change parameters of the present view; an empty value removes one. */
export function setParams(changes: Record<string, string>, replace = false): void {
  const query = new URLSearchParams(state.route.params);
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  go(`#${path()}${query.size ? `?${query}` : ""}`, replace);
}

export function go(address: string, replace = false): void {
  if (!replace) {
    location.hash = address.replace(/^#/, "");
    return;
  }
  history.replaceState(null, "", address);
  state.route = read();
}

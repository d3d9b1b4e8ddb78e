// One key shortcuts, as in the help that `?` shows. They rest while somebody types.
import { addDays } from "./format";
import { period } from "./period.svelte";
import { go, href, setParams } from "./route.svelte";
import { VIEWS } from "./views";

const CHORD_MS = 1500;
let chordUntil = 0;

export function shortcut(event: KeyboardEvent, help: () => void): void {
  const at = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || at.closest("input, select, textarea, [role=slider]")) return;
  const view = Date.now() < chordUntil ? VIEWS.find((each) => each.key === event.key) : undefined;
  chordUntil = 0;
  if (view) go(href(view.path));
  else if (event.key === "g") chordUntil = Date.now() + CHORD_MS;
  else if (event.key === "?") help();
  else if (event.key === "/") search(event);
  else if (event.key === "[") shift(-1);
  else if (event.key === "]") shift(1);
  else if (event.key === ".") setParams({ desde: "", hasta: "" });
}

function search(event: KeyboardEvent): void {
  event.preventDefault();
  const field = document.querySelector<HTMLInputElement>("main input[type=search]");
  if (field) field.focus();
  else go(href("/explorar"));
}

function shift(direction: number): void {
  const now = period();
  const move = direction * now.days;
  setParams({ desde: addDays(now.since, move), hasta: addDays(now.until, move) });
}

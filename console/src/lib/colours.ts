// Colours of candidates: fixed by the order of all tracked entities, safe for colour-blind eyes.
const COUNT = 8;

/** The colour of an entity among all; beyond eight it is grey. */
export function colourOf(entity: string, all: { id: string }[]): string {
  const place = all.findIndex((each) => each.id === entity);
  return place >= 0 && place < COUNT ? `var(--c${place + 1})` : "var(--neutral)";
}

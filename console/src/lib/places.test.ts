import { expect, it } from "vitest";
import departments from "./departments.json";
import { placeName, shortPlaceName } from "./places";

it("writes slugs of places as their names", () => {
  expect(["cucuta", "norte-de-santander", "la-dorada", "itagui", "san-jose-del-guaviare", "new-place"].map(placeName)).toEqual([
    "Cúcuta", "Norte de Santander", "La Dorada", "Itagüí", "San José del Guaviare", "New Place",
  ]); // prettier-ignore
});

it("names each department of the map, with letters that fit a tile", () => {
  for (const [slug, { name }] of Object.entries(departments.departments)) {
    expect(name.replace(/[,.]/g, "")).toContain(placeName(slug).split(" y ")[0]);
    expect(shortPlaceName(slug).length).toBeLessThanOrEqual(9);
  }
});

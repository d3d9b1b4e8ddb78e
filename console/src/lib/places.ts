// Names of the places that twitter-service writes as slugs without accents: "norte-de-santander", "cucuta".
const SMALL = ["de", "del", "y"];
const ACCENTED = new Map(
  [
    "Acacías", "Andrés", "Apartadó", "Atlántico", "Bogotá", "Bolívar", "Boyacá", "Cajicá", "Calarcá", "Caquetá", "Carreño",
    "Chiquinquirá", "Chía", "Chocó", "Ciénaga", "Córdoba", "Cúcuta", "Facatativá", "Fusagasugá", "Girón", "Guainía", "Ibagué",
    "Inírida", "Itagüí", "Jamundí", "José", "Magangué", "Medellín", "Mitú", "Montería", "Nariño", "Ocaña", "Popayán", "Quibdó",
    "Quindío", "Sahagún", "Tuluá", "Vaupés", "Zipaquirá",
  ].map((word) => [word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase(), word]),
); // prettier-ignore

/** The name of a department or city: "Norte de Santander", "Cúcuta". */
export function placeName(slug: string): string {
  const words = slug.split("-").map((word) => (SMALL.includes(word) ? word : (ACCENTED.get(word) ?? word.charAt(0).toUpperCase() + word.slice(1))));
  return words.join(" ");
}

const SHORT: Record<string, string> = {
  cundinamarca: "Cundin.", "la-guajira": "Guajira", "norte-de-santander": "N. de S.", "san-andres-y-providencia": "S. Andrés", "valle-del-cauca": "Valle",
}; // prettier-ignore

/** The name of a department where there is room for nine letters. */
export function shortPlaceName(slug: string): string {
  return SHORT[slug] ?? placeName(slug);
}

import { describe, expect, it } from "vitest";
import { browse } from "./browser.test-kit";

browse();
const { aheadSentences, trustSentences, watchSentence } = await import("./sentences");

describe("watchSentence", () => {
  it("says what was told with its numbers", () => {
    const body = { topic: { topic: "#Paro", tweets: 1400, authors: 12 } };
    expect(watchSentence({ kind: "trend.started", body })).toBe("empieza «#Paro»: 1.400 tuits de 12 cuentas");
    const fell = { negative_share_3h: 0.6, negative_share_24h_before: 0.25, scored_3h: 40, scored_24h_before: 200 };
    expect(watchSentence({ kind: "sentiment.fell", body: fell })).toBe("negativos 60 % en 3 h (n 40), antes 25 % (n 200)");
    const rose = { tweets_last_hour: 30, usual_an_hour: 4.5, ratio: 6.67 };
    expect(watchSentence({ kind: "volume.rose", body: rose })).toBe("30 tuits en la última hora, 6,7× lo habitual (4,5)");
  });
  it("names a kind that it does not know", () => {
    expect(watchSentence({ kind: "new.kind", body: {} })).toBe("new.kind");
  });
});

describe("a forecast in words", () => {
  const ahead = { value: 42.6, low: 24.1, high: 63.4 };
  it("foresees a change only where the present lies outside its interval", () => {
    expect(aheadSentences(ahead, 0.8, 55)).toEqual([
      "Lo esperado es 42,6; con probabilidad del 80 %, entre 24,1 y 63,4.",
      "No anticipa un cambio claro: el ICCE del período, 55,0, cae dentro de ese margen.",
    ]);
    expect(aheadSentences(ahead, 0.8, 70)[1]).toBe("Anticipa que baje: el ICCE del período, 70,0, queda fuera de ese margen.");
    expect(aheadSentences(ahead, 0.8, 20)[1]).toContain("que suba");
    expect(aheadSentences(ahead, 0.8, null)).toHaveLength(1);
  });
  it("claims skill only where there is some, and coverage where it is known", () => {
    expect(trustSentences({ skill: 0.32, coverage: 0.84, level: 0.8 })).toEqual([
      "En pruebas con días pasados se equivocó un 32 % menos que repetir el último valor.",
      "De esos días, el 84 % cayó en su margen del 80 %.",
    ]);
    expect(trustSentences({ skill: -0.1, coverage: null, level: 0.8 })).toEqual(["No mejora a repetir el último valor; léelo como una repetición."]);
    expect(trustSentences({ skill: 0, level: 0.8 })).toHaveLength(1);
    expect(trustSentences({ skill: null, level: 0.8 })).toEqual([]);
  });
});

import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("location", { hash: "", origin: "https://a.example" });
vi.stubGlobal("addEventListener", () => undefined);
const { watchSentence } = await import("./sentences");

describe("watchSentence", () => {
  it("says what was told with its numbers", () => {
    const body = { topic: { topic: "#Paro", tweets: 1400, authors: 12 } };
    expect(watchSentence({ kind: "trend.started", body })).toBe("empieza «#Paro»: 1.400 tuits de 12 cuentas");
    const fell = { negative_share_3h: 0.6, negative_share_24h_before: 0.25, scored_3h: 40, scored_24h_before: 200 };
    expect(watchSentence({ kind: "sentiment.fell", body: fell })).toBe("negativos 60 % en 3 h (n 40), antes 25 % (n 200)");
    const rose = { tweets_last_hour: 30, usual_an_hour: 4.5, ratio: 6.67 };
    expect(watchSentence({ kind: "volume.rose", body: rose })).toBe("30 tuits en la última hora, 6,7× lo habitual (4,5)");
  });
  it("names a kind that it does not know", () => {
    expect(watchSentence({ kind: "new.kind", body: {} })).toBe("new.kind");
  });
});

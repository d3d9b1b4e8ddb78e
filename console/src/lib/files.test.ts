import { expect, it } from "vitest";
import { toCsv } from "./files";

it("quotes, and lets no text become a formula", () => {
  expect(toCsv([["a,b", '"', 1.5, null], ["=1+1", "@x", "-5", "línea\n2"]])).toBe(
    '\ufeff"a,b","""",1.5,\r\n\'=1+1,\'@x,\'-5,"línea\n2"\r\n',
  );
});

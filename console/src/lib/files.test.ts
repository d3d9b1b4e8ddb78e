import { expect, it } from "vitest";
import { decoded, toCsv } from "./files";

it("quotes, and lets no text become a formula", () => {
  expect(toCsv([["a,b", '"', 1.5, null], ["=1+1", "@x", "-5", "línea\n2"]])).toBe(
    '\ufeff"a,b","""",1.5,\r\n\'=1+1,\'@x,\'-5,"línea\n2"\r\n',
  );
});

it("reads what Excel writes", () => {
  const utf16 = new Uint8Array([0xff, 0xfe, 0x49, 0, 0x76, 0, 0xe1, 0, 0x6e, 0]);
  const windows = new Uint8Array([0x49, 0x76, 0xe1, 0x6e]);
  expect([decoded(utf16), decoded(windows), decoded(new TextEncoder().encode("Iván"))]).toEqual(["Iván", "Iván", "Iván"]);
});

// A page that stands alone: a copy of nodes, serialised by the browser, with the styles that apply. It holds no script, and
// no text of a stranger is ever parsed as HTML.
import { download } from "./files";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function saveAsHtml(article: HTMLElement, name: string): void {
  const page = document.implementation.createHTMLDocument(name);
  page.documentElement.lang = document.documentElement.lang;
  const head = (tag: string, attributes: Record<string, string>, text = "") => {
    const node = page.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    page.head.append(node);
  };
  head("meta", { charset: "utf-8" });
  head("meta", { "http-equiv": "Content-Security-Policy", content: POLICY });
  head("style", {}, rules());
  const copy = page.importNode(article, true);
  for (const node of copy.querySelectorAll("button, script, .screen")) node.remove();
  for (const node of copy.querySelectorAll("[tabindex]")) node.removeAttribute("tabindex");
  page.body.append(copy);
  download(name, "text/html", `<!doctype html>${page.documentElement.outerHTML}`);
}

function rules(): string {
  const found = Array.from(document.styleSheets).flatMap((sheet) => Array.from(sheet.cssRules));
  return found.filter((rule) => !(rule instanceof CSSFontFaceRule)).map((rule) => rule.cssText).join("\n").replaceAll("</", "<\\/");
}

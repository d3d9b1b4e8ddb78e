// A page that stands alone: a copy of nodes, serialised by the browser, with the styles that apply. It holds no script, and
// no text of a stranger is ever parsed as HTML.
import { download } from "./files";

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function saveAsHtml(article: HTMLElement, name: string): void {
  // The nodes are never part of a document: there the console's own policy would refuse the style.
  const page = element("html", { lang: document.documentElement.lang });
  const head = element("head");
  head.append(
    element("meta", { charset: "utf-8" }),
    element("meta", { "http-equiv": "Content-Security-Policy", content: POLICY }),
    element("title", {}, name),
    element("style", {}, rules()),
  );
  const body = element("body");
  body.append(article.cloneNode(true));
  for (const node of body.querySelectorAll("button, .screen")) node.remove();
  for (const node of body.querySelectorAll("[tabindex]")) node.removeAttribute("tabindex");
  page.append(head, body);
  download(name, "text/html", `<!doctype html>${page.outerHTML}`);
}

function element(tag: string, attributes: Record<string, string> = {}, text = ""): HTMLElement {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

function rules(): string {
  const found = Array.from(document.styleSheets).flatMap((sheet) => Array.from(sheet.cssRules));
  return found.filter((rule) => !(rule instanceof CSSFontFaceRule)).map((rule) => rule.cssText).join("\n").replaceAll("</", "<\\/");
}

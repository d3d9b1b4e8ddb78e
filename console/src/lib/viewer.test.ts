import { expect, it } from "vitest";
import viewer from "../../docs/docs.js?raw";

/** What the viewer of the contracts tells Swagger UI on a page. */
function shownAt(address: string) {
  const shown: Record<string, any>[] = [];
  const element = { append: () => {}, addEventListener: () => {} };
  const swagger = Object.assign((options: Record<string, any>) => shown.push(options), { presets: { apis: [] } });
  const page = { document: { getElementById: () => element }, location: new URL(address), Option: class {}, SwaggerUIBundle: swagger };
  new Function(...Object.keys(page), viewer)(...Object.values(page));
  return shown[0]!;
}

it.each([
  ["https://localhost:38475/docs/#rag-service", "https://localhost:38475"],
  ["https://castor.example/campana/docs/", "https://castor.example/campana"],
])("sends what is tried at %s to where the page came from", (address, server) => {
  const [plugin] = shownAt(address).plugins;
  const taken: unknown[] = [];
  plugin.statePlugins.spec.wrapActions.updateJsonSpec((contract: unknown) => taken.push(contract))({
    openapi: "3.1.0",
    servers: [{ url: "https://{host}", variables: { host: { default: "localhost:8443" } } }],
  });
  expect(taken).toEqual([{ openapi: "3.1.0", servers: [{ url: server }] }]);
});

// Shows the contract that the address names: /docs/#rag-service. Requests tried here go to where the page came from: a
// contract names only the port that an ingress has where nobody chose another.
"use strict";

const SERVICES = ["auth", "sentiment", "twitter", "trending", "openai", "rag", "forecast"].map((name) => `${name}-service`);
const chooser = document.getElementById("service");

for (const name of SERVICES) chooser.append(new Option(name, name));

const HERE = new URL("..", location.href).href.replace(/\/$/, "");
const ServedHere = {
  statePlugins: {
    spec: { wrapActions: { updateJsonSpec: (update) => (contract) => update({ ...contract, servers: [{ url: HERE }] }) } },
  },
};

function show(name) {
  const url = `../openapi/${name}.yaml`;
  chooser.value = name;
  document.getElementById("file").href = url;
  SwaggerUIBundle({
    url,
    dom_id: "#viewer",
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [ServedHere],
    layout: "BaseLayout",
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    filter: true,
    validatorUrl: null,
    persistAuthorization: false,
  });
}

const asked = location.hash.slice(1).split("/")[0];
show(SERVICES.includes(asked) ? asked : SERVICES[0]);
chooser.addEventListener("change", () => {
  history.replaceState(null, "", `#${chooser.value}`);
  show(chooser.value);
});

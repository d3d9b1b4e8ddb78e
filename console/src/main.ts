import "./fonts.css";
import "./tokens.css";
import "./base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { language, setLanguage } from "./lib/i18n.svelte";
import { path } from "./lib/route.svelte";
import { viewOf } from "./lib/views";

setLanguage(language());
// On its way while the session is continued; where it fails, the frame says so.
viewOf(path())?.load().catch(() => undefined);
mount(App, { target: document.getElementById("app")! });

import "./fonts.css";
import "./tokens.css";
import "./base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { language, setLanguage } from "./lib/i18n.svelte";

setLanguage(language());
mount(App, { target: document.getElementById("app")! });

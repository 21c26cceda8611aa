// Starts the page.
import { App } from "./app/app.js";
import "./parts/copy-button.js";

new App(document.getElementById("app")).start();

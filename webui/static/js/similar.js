// "More like this" on a movie's page, and "more like these".
import { openPanel } from "./panel.js";

const form = document.querySelector("#panel");
if (form) openPanel(form, document.querySelector("#part"));

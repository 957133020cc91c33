// What every page has: the theme switch, the tray, and a stand-in for posters that do not load.
import { openTray } from "./tray.js";

const root = document.documentElement;

function installTheme(button) {
  button.addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("onesheet-theme", root.dataset.theme);
    } catch {
      // Without storage the choice holds for this page.
    }
  });
}

// A poster that cannot be loaded becomes a sheet that carries its title.
function installBlanks() {
  const blank = (image) => {
    const poster = image.closest(".poster");
    if (!poster?.dataset.title || image.classList.contains("heat")) return;
    poster.classList.add("blank");
    poster.setAttribute("aria-hidden", "true");
    poster.textContent = poster.dataset.title;
  };
  addEventListener("error", (event) => event.target instanceof HTMLImageElement && blank(event.target), true);
  for (const image of document.querySelectorAll(".poster img")) {
    if (image.complete && image.naturalWidth === 0 && image.currentSrc) blank(image);
  }
}

// "/" goes to the search, as on most sites with one; not while something is being typed.
function installFind(input) {
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=range]), select, textarea, [contenteditable]")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

installTheme(document.querySelector(".theme"));
installBlanks();
installFind(document.querySelector(".find input"));
openTray(document.querySelector(".tray"));

// Where on the poster a genre speaks: a picture laid over it, made when asked for.
import { ask } from "./part.js";

/**
 * Let the links of a table of genres lay heat-maps over a poster.
 * @param {ParentNode} scope holds the links, the poster, the note and the button that takes them off
 * @param {(link: HTMLAnchorElement) => Promise<Response>} fetchHeat
 */
export function installHeat(scope, fetchHeat = (link) => ask(link.href)) {
  const poster = scope.querySelector(".proof .poster");
  const note = scope.querySelector("#heat-note");
  const off = scope.querySelector("#heat-off");
  let latest = 0;

  async function show(link) {
    const mine = ++latest;
    const { genre } = link.dataset;
    poster.setAttribute("aria-busy", "true");
    note.textContent = `Looking for ${genre}…`;
    try {
      const blob = await (await fetchHeat(link)).blob();
      if (mine !== latest) return;
      lay(URL.createObjectURL(blob), genre);
      note.textContent = `Where it says ${genre}`;
      off.hidden = false;
    } catch (error) {
      if (mine === latest) note.textContent = error.message;
    }
    if (mine === latest) poster.removeAttribute("aria-busy");
  }

  function lay(url, genre) {
    clear();
    const image = new Image(270, 400);
    image.className = "heat";
    image.alt = `Heat-map of what in the poster speaks for ${genre}`;
    image.onload = () => URL.revokeObjectURL(url);
    image.src = url;
    poster.append(image);
    poster.scrollIntoView({ block: "nearest" }); // on a narrow screen the table stands far below
  }

  function clear() {
    poster.querySelector(".heat")?.remove();
    off.hidden = true;
    note.textContent = "";
  }

  scope.addEventListener("click", (event) => {
    const link = event.target.closest("a.where");
    if (link) {
      event.preventDefault();
      show(link);
    } else if (event.target === off) {
      latest += 1;
      clear();
    }
  });
}

const page = document.querySelector("article.hero:not(.reading)");
if (page?.querySelector("#heat-note")) installHeat(page);

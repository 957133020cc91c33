// The tray: movies to be like and unlike. It is kept in this browser only; its page's URL can be shared.

const KEY = "onesheet-tray";
const MOST = 40;

/** Open the tray of this page; the two buttons of each card put its movie in. */
export function openTray(box) {
  const tray = new Tray(box);
  tray.show();
  document.addEventListener("onesheet:cards", () => tray.show());
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".pick button");
    if (button) tray.toggle(button.closest(".card").dataset, button.dataset.side);
  });
}

class Tray {
  constructor(box) {
    this.box = box;
    this.list = box.querySelector("ul");
    this.movies = read();
    box.querySelector("[data-clear]").addEventListener("click", () => this.set([]));
    this.list.addEventListener("click", (event) => {
      const id = event.target.closest("li")?.dataset.movieId;
      if (id) this.set(this.movies.filter((movie) => movie.id !== id));
    });
    addEventListener("storage", () => {
      this.movies = read();
      this.show();
    });
  }

  toggle({ movieId: id, title }, side) {
    const held = this.movies.find((movie) => movie.id === id);
    const rest = this.movies.filter((movie) => movie.id !== id);
    const gone = held?.side === side;
    this.set(gone ? rest : [...rest, { id, title, side }].slice(-MOST));
    this.box.querySelector("[role=status]").textContent =
      `${title}: ${gone ? "taken out of the tray" : side === "like" ? "more like it" : "less like it"}. ${this.movies.length} in the tray.`;
  }

  set(movies) {
    this.movies = movies;
    try {
      localStorage.setItem(KEY, JSON.stringify(movies));
    } catch {
      // Without storage the tray holds for this page.
    }
    this.show();
  }

  show() {
    const { posters, these } = document.body.dataset;
    this.box.hidden = this.movies.length === 0;
    document.documentElement.classList.toggle("has-tray", !this.box.hidden);
    this.list.replaceChildren(...this.movies.map((movie) => item(movie, posters)));
    const link = this.box.querySelector("a");
    link.href = `${these}?${new URLSearchParams(this.movies.map((movie) => [movie.side, movie.id]))}`;
    link.hidden = !this.movies.some((movie) => movie.side === "like");
    const sides = new Map(this.movies.map((movie) => [movie.id, movie.side]));
    for (const button of document.querySelectorAll(".pick button")) {
      const pressed = sides.get(button.closest(".card").dataset.movieId) === button.dataset.side;
      button.setAttribute("aria-pressed", String(pressed));
    }
  }
}

function item({ id, title, side }, posters) {
  const li = document.createElement("li");
  li.dataset.movieId = id;
  li.dataset.side = side;
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", `Take out ${title} (${side === "like" ? "more" : "less"} like it)`);
  button.title = title;
  const image = new Image(27, 40);
  image.alt = "";
  image.src = `${posters.replace(/_$/, encodeURIComponent(id))}?w=80`;
  button.append(image);
  li.append(button);
  return li;
}

function read() {
  try {
    const movies = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return movies.filter(({ id, title, side }) => id && title && (side === "like" || side === "unlike"));
  } catch {
    return [];
  }
}

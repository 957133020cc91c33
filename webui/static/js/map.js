// The map: every poster a point on a canvas; near enough, the posters themselves.
import KDBush from "../vendor/kdbush/kdbush.js";
import { ask, notice } from "./part.js";
import { View } from "./view.js";

const box = document.querySelector("#map");
const canvas = box.querySelector("canvas");
const tip = box.querySelector("#tip");
const note = document.querySelector("#map-note");
const colour = document.querySelector("#colour");
const MOST_POSTERS = 140;
const POSTER_FROM = 34; // pixels between neighbours from which a poster can be seen
const MOST_IMAGES = 400;
const FINGER = 24; // pixels around a pointer that it reaches
const UNLIT = "rgb(128 128 140 / 0.28)";

class PosterMap {
  constructor(points) {
    this.points = points;
    this.n = points.movie_ids.length;
    this.index = new KDBush(this.n, 64, Float32Array);
    for (let i = 0; i < this.n; i++) this.index.add(...this.at(i));
    this.index.finish();
    this.images = new Map();
    this.pointed = -1;
    this.half = 0; // half the width of a poster as last drawn; 0 while points alone are seen
    this.titles = new Map();
    this.waiting = false;
    this.only = null;
    const told = {
      changed: () => this.draw(),
      pressed: (x, y, middle) => this.open(middle ? this.view.nearest(x, y) : this.under(x, y)),
    };
    this.view = new View(canvas, told, {
      at: (i) => this.at(i),
      all: () => Array(this.n).keys(),
      within: (u, v, radius) => this.index.within(u, v, radius),
      any: (u0, v0, u1, v1) => this.index.range(u0, v0, u1, v1).length > 0,
    });
    canvas.addEventListener("pointermove", (event) => this.hover(event));
    canvas.addEventListener("pointerleave", () => this.point(-1));
    canvas.addEventListener("keyup", () => this.point(this.view.nearest(canvas.clientWidth / 2, canvas.clientHeight / 2)));
    new ResizeObserver(() => this.draw()).observe(canvas);
    this.paint();
  }

  /** Where a point lies in the plane, both in [0, 1]. */
  at(i) {
    return [this.points.x[i] / this.points.units, this.points.y[i] / this.points.units];
  }

  /** Sort the points by colour, so that each colour is set once a frame. */
  paint() {
    const { points } = this;
    const byGenre = colour.value === "genre";
    const keyOf = byGenre
      ? (i) => points.genre[i]
      : (i) => (points.years[i] ? Math.floor(points.years[i] / 10) * 10 : -1);
    const groups = new Map();
    for (let i = 0; i < this.n; i++) {
      const key = keyOf(i);
      if (groups.has(key)) groups.get(key).push(i);
      else groups.set(key, [i]);
    }
    const keys = [...groups.keys()].sort((a, b) => a - b);
    const known = keys.filter((key) => key !== -1);
    this.groups = keys.map((key) => ({
      members: groups.get(key),
      name: key === -1 ? "Unknown" : byGenre ? points.genres[key] : `${key}s`,
      tint: key === -1 ? "#8a8a94" : byGenre ? wheel(known.indexOf(key), known.length) : ramp(known.indexOf(key), known.length),
    }));
    this.only = null;
    legend(this.groups, (name) => this.show(name));
    this.draw();
  }

  /** Leave only one colour lit, or all of them again. */
  show(name) {
    this.only = this.only === name ? null : name;
    for (const button of document.querySelectorAll("#legend button")) {
      button.setAttribute("aria-pressed", String(button.dataset.name === this.only));
    }
    this.draw();
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.#frame();
    });
  }

  #frame() {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.#dots(pen, width, height);
    this.#posters(pen, width, height);
    if (this.pointed >= 0) this.#placeTip();
  }

  #dots(pen, width, height) {
    const { points, view } = this;
    const size = Math.min(7, 2.2 + Math.log2(1 + view.scale));
    const [left, top] = view.toScreen(0, 0);
    const [stepX, stepY] = view.sides.map((side) => side / points.units);
    const lit = ({ name }) => this.only === null || name === this.only;
    const groups = [...this.groups.filter((group) => !lit(group)), ...this.groups.filter(lit)];
    for (const group of groups) {
      const { members, tint } = group;
      pen.fillStyle = lit(group) ? tint : UNLIT;
      for (const i of members) {
        const x = left + points.x[i] * stepX;
        const y = top + points.y[i] * stepY;
        if (x > -size && y > -size && x < width + size && y < height + size) pen.fillRect(x - size / 2, y - size / 2, size, size);
      }
    }
  }

  #posters(pen, width, height) {
    const { view } = this;
    const [u0, v0] = view.toPlane(0, 0);
    const [u1, v1] = view.toPlane(width, height);
    const seen = this.index.range(u0, v0, u1, v1);
    this.half = 0;
    if (!seen.length || seen.length > MOST_POSTERS) return;
    const gap = Math.sqrt((width * height) / seen.length);
    if (gap < POSTER_FROM && this.n > MOST_POSTERS) return;
    const tall = Math.min(150, Math.max(36, gap * 0.62));
    const wide = (tall * 27) / 40;
    this.half = wide / 2;
    // The poster that is named lies on top: of two that overlap it is the one that a press opens.
    const onTop = (i) => Number(i === this.pointed);
    for (const i of seen.sort((a, b) => onTop(a) - onTop(b) || a - b)) {
      const image = this.#image(this.points.movie_ids[i]);
      if (!image.complete || !image.naturalWidth) continue;
      const [x, y] = view.toScreen(...this.at(i));
      pen.drawImage(image, x - wide / 2, y - tall / 2, wide, tall);
    }
  }

  #image(id) {
    let image = this.images.get(id);
    if (image) this.images.delete(id);
    else {
      image = new Image();
      image.onload = () => this.draw();
      image.src = `${document.body.dataset.posters.replace(/_$/, encodeURIComponent(id))}?w=160`;
    }
    this.images.set(id, image); // the latest used last, so that the first is the one to let go
    if (this.images.size > MOST_IMAGES) this.images.delete(this.images.keys().next().value);
    return image;
  }

  /** The point under the finger, else the poster that covers the place; -1 without either. */
  under(x, y) {
    const near = this.view.nearest(x, y, FINGER);
    return near < 0 && this.half ? this.view.covering(x, y, this.half, (this.half * 40) / 27) : near;
  }

  open(i) {
    if (i >= 0) location.href = box.dataset.movie.replace(/_$/, encodeURIComponent(this.points.movie_ids[i]));
  }

  hover(event) {
    box.classList.toggle("moving", this.view.dragging);
    this.point(this.view.dragging ? -1 : this.under(event.offsetX, event.offsetY));
  }

  async point(i) {
    if (this.half && this.pointed !== i) this.draw();
    this.pointed = i;
    box.classList.toggle("over", i >= 0);
    tip.hidden = i < 0;
    if (i < 0) return;
    this.#placeTip();
    tip.textContent = this.titles.get(i) ?? this.points.movie_ids[i];
    await pause(80);
    if (this.pointed !== i || this.titles.has(i)) return;
    const url = box.dataset.facts.replace(/_$/, encodeURIComponent(this.points.movie_ids[i]));
    try {
      const { title, year } = await (await ask(url)).json();
      this.titles.set(i, year ? `${title} (${year})` : title);
    } catch {
      return; // its id stands there; to open it says what is wrong
    }
    if (this.pointed === i) note.textContent = tip.textContent = this.titles.get(i);
  }

  #placeTip() {
    const [x, y] = this.view.toScreen(...this.at(this.pointed));
    const flip = x > canvas.clientWidth - 250;
    const beside = 14 + this.half;
    tip.style.transform = `translate(calc(${x}px ${flip ? `- 100% - ${beside}px` : `+ ${beside}px`}), calc(${y}px - 50%))`;
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const wheel = (i, n) => `hsl(${Math.round((360 * i) / n)} ${i % 2 ? 85 : 65}% ${i % 3 === 0 ? 42 : 56}%)`;
const ramp = (i, n) => `hsl(${Math.round(195 + (210 * i) / Math.max(1, n - 1))} 75% 50%)`;

function legend(groups, chosen) {
  const list = document.querySelector("#legend");
  list.replaceChildren(
    ...groups.map(({ name, tint, members }) => {
      const item = document.createElement("li");
      item.innerHTML =
        '<button type="button" aria-pressed="false"><svg viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1"/></svg><span></span></button>';
      item.querySelector("rect").setAttribute("fill", tint);
      item.querySelector("span").textContent = `${name} (${members.length})`;
      const button = item.querySelector("button");
      button.dataset.name = name;
      button.addEventListener("click", () => chosen(name));
      return item;
    }),
  );
}

note.textContent = "Fetching the map…";
try {
  const points = await (await ask(box.dataset.points)).json();
  note.textContent = `${points.movie_ids.length} posters, laid out by ${points.method}.`;
  const map = new PosterMap(points);
  colour.addEventListener("change", () => map.paint());
  for (const button of box.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => map.view.zoom(Number(button.dataset.zoom)));
  }
} catch (error) {
  note.textContent = "";
  box.replaceWith(notice(error.message));
}

// Your own poster: drop, paste or choose; its bytes are sent with each question and kept nowhere.
import { ask, fetchPart, notice, PartError } from "./part.js";
import { installHeat } from "./heatmap.js";
import { Panel } from "./panel.js";

const drop = document.querySelector("#drop");
const input = document.querySelector("#file");
const note = document.querySelector("#reading-note");
const answer = document.querySelector("#answer");
const MOST_BYTES = 20 * 2 ** 20;
let running = null;
let shownUrl = "";

function bodyWith(poster, fields = []) {
  const body = new FormData();
  body.set("poster", poster, poster.name || "poster");
  for (const [name, value] of fields) body.append(name, value);
  return body;
}

async function read(poster) {
  running?.abort();
  const { signal } = (running = new AbortController());
  drop.setAttribute("aria-busy", "true");
  note.textContent = "Reading the poster…";
  try {
    answer.replaceChildren(await fetchReading(poster, signal));
    bind(poster);
    note.textContent = `Read: ${answer.querySelector("h2").textContent}.`;
  } catch (error) {
    if (error.name === "AbortError") return;
    answer.replaceChildren(notice(error.message));
    note.textContent = "";
  }
  drop.setAttribute("aria-busy", "false");
}

async function fetchReading(poster, signal) {
  if (poster.size > MOST_BYTES) {
    throw new PartError(`The file has ${(Math.ceil((poster.size * 10) / 2 ** 20) / 10).toFixed(1)} MB; a poster may have 20 MB.`);
  }
  const url = new URL(drop.action);
  url.searchParams.set("part", "reading");
  return fetchPart(url, { method: "POST", body: bodyWith(poster), signal });
}

function bind(poster) {
  const form = answer.querySelector("#panel");
  if (!form) return;
  preview(poster);
  new Panel(form, answer.querySelector("#part"), (query, signal) => {
    const url = new URL(drop.action);
    url.searchParams.set("part", "similar");
    return fetchPart(url, { method: "POST", body: bodyWith(poster, query), signal });
  });
  installHeat(answer.querySelector(".reading"), (link) => {
    return ask(link.href, { method: "POST", body: bodyWith(poster, [["genre", link.dataset.genre]]) });
  });
  answer.querySelector("#add")?.addEventListener("submit", (event) => {
    event.preventDefault();
    add(event.target, poster);
  });
  answer.dispatchEvent(new CustomEvent("onesheet:cards", { bubbles: true }));
}

function preview(poster) {
  URL.revokeObjectURL(shownUrl);
  shownUrl = URL.createObjectURL(poster);
  const image = new Image(270, 400);
  image.alt = "Your poster";
  image.src = shownUrl;
  answer.querySelector("#preview").append(image);
}

async function add(form, poster) {
  const note = form.querySelector("#add-note");
  const { movie_id: id, key, ...fields } = Object.fromEntries(new FormData(form));
  const given = Object.entries(fields).filter(([, value]) => value);
  note.textContent = "Adding…";
  try {
    await ask(form.action.replace(/_$/, encodeURIComponent(id)), {
      method: "PUT",
      headers: { Authorization: `Bearer ${key}` },
      body: bodyWith(poster, given),
    });
  } catch (error) {
    note.textContent = error.message;
    return;
  }
  const link = document.createElement("a");
  link.href = form.dataset.movie.replace(/_$/, encodeURIComponent(id));
  link.textContent = `See ${fields.title} in the catalog`;
  note.replaceChildren("Added. ", link);
}

function pictureOf(transfer) {
  return [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
}

input.addEventListener("change", () => input.files[0] && read(input.files[0]));
drop.addEventListener("submit", (event) => {
  event.preventDefault();
  if (input.files[0]) read(input.files[0]);
});
addEventListener("paste", (event) => {
  const poster = pictureOf(event.clipboardData);
  if (poster) read(poster);
});
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const poster = pictureOf(event.dataTransfer);
  if (poster) read(poster);
  else answer.replaceChildren(notice("That was no picture file. Drop a JPEG, PNG or WebP."));
});
// A file may be chosen before this script runs; one that a browser going back puts in its place comes after it.
const readChosen = () => !running && input.files[0] && read(input.files[0]);
readChosen();
addEventListener("pageshow", readChosen);

// The wall: search as you type, filters that apply at once, more posters as the end comes near.
import { wasMoved } from "./moved.js";
import { debounce, fetchPart, notice } from "./part.js";

const form = document.querySelector("#filters");
const part = document.querySelector("#part");
const heading = document.querySelector("#heading");
let running = new AbortController();

const near = new IntersectionObserver(
  (entries) => entries.some((entry) => entry.isIntersecting) && follow(part.querySelector("a[rel=next]")),
  { rootMargin: "1200px 0px" },
);

function watchEnd() {
  const link = part.querySelector("a[rel=next]");
  if (link) near.observe(link);
}

function urlOfForm() {
  const url = new URL(form.action);
  url.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value)).toString();
  return url;
}

function partOf(url) {
  const wanted = new URL(url, location.href);
  wanted.searchParams.set("part", "wall");
  return wanted;
}

async function refresh() {
  running.abort();
  running = new AbortController();
  const url = urlOfForm();
  history.replaceState(null, "", url);
  part.querySelector(".wall")?.setAttribute("aria-busy", "true");
  try {
    const fresh = await fetchPart(partOf(url), { signal: running.signal });
    part.replaceChildren(fresh);
    heading.textContent = part.querySelector("[data-heading]").dataset.heading;
    document.title = `${heading.textContent} · onesheet`;
    scrollTo({ top: 0 });
  } catch (error) {
    if (error.name === "AbortError") return;
    part.replaceChildren(notice(error.message));
  }
  shown();
}

async function follow(link) {
  if (!link || link.ariaBusy === "true") return;
  link.ariaBusy = "true";
  link.textContent = "Loading posters";
  near.unobserve(link);
  const { signal } = running;
  try {
    const fresh = await fetchPart(partOf(link.href), { signal });
    if (signal.aborted) return;
    part.querySelector(".wall").append(...fresh.querySelectorAll(".wall > .card"));
    part.querySelector(".more").replaceWith(fresh.querySelector(".more"));
  } catch (error) {
    if (error.name === "AbortError") return;
    link.ariaBusy = "false";
    link.textContent = "Try again";
    part.querySelector(".more").prepend(notice(error.message));
    return;
  }
  shown();
}

function shown() {
  watchEnd();
  part.dispatchEvent(new CustomEvent("onesheet:cards", { bubbles: true }));
}

const soon = debounce(refresh, 160);
for (const control of form.elements) {
  if (control.type === "search") control.addEventListener("input", soon);
  else control.addEventListener("change", refresh);
}
form.addEventListener("submit", (event) => {
  event.preventDefault();
  refresh();
});
part.addEventListener("click", (event) => {
  const link = event.target.closest("a[rel=next]");
  if (!link) return;
  event.preventDefault();
  follow(link);
});
if ([...form.elements].some(wasMoved)) refresh();
else watchEnd();

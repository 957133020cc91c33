// The reference of the API: sends an operation to this server and shows what came back, and as what command.
import { notice } from "./part.js";

const place = document.querySelector("#operations");
const key = document.querySelector("#key");
const SHOWN_HEADERS = ["Content-Type", "ETag", "RateLimit-Remaining", "Retry-After", "X-Request-ID"];
const MOST_SHOWN = 200_000;

place.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target);
});
for (const choice of place.querySelectorAll("[data-media]")) {
  choice.addEventListener("change", () => showBody(choice));
  showBody(choice);
}
addEventListener("hashchange", openTarget);
openTarget();

/** A link to an operation or a schema opens it; the browser scrolls there, and Tab goes on from there. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

function showBody(choice) {
  for (const body of choice.form.querySelectorAll("[data-body]")) {
    body.disabled = body.hidden = body.dataset.body !== choice.value;
  }
}

function requestOf(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const { name, value, dataset } of form.elements) {
    if (dataset.place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (dataset.place === "query" && value) query.append(name, value);
  }
  const url = new URL(place.dataset.root + path, location.origin);
  url.search = query;
  const request = { url, method: form.dataset.method, headers: {}, fields: [] };
  if ("needsKey" in form.dataset && key.value) request.headers.Authorization = `Bearer ${key.value}`;
  const body = form.querySelector("[data-body]:enabled");
  if (body?.querySelector("textarea")) {
    request.headers["Content-Type"] = body.dataset.body;
    request.body = body.querySelector("textarea").value;
  } else if (body) {
    request.fields = [...body.querySelectorAll("[data-place=form]")].flatMap((field) => {
      const value = field.type === "file" ? field.files[0] : field.value;
      return value ? [[field.name, value]] : [];
    });
    request.body = new FormData();
    for (const [name, value] of request.fields) request.body.append(name, value);
  }
  return request;
}

async function send(form) {
  const answer = form.querySelector(".answer");
  const { url, fields, ...options } = requestOf(form);
  form.setAttribute("aria-busy", "true");
  const started = performance.now();
  try {
    const response = await fetch(url, { ...options, cache: "no-store" });
    const shown = await bodyOf(response);
    const status = text("p", `${response.status} ${response.statusText}, ${Math.round(performance.now() - started)} ms`, "status");
    const headers = SHOWN_HEADERS.filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);
    answer.replaceChildren(status, scrolled(commandOf(url, fields, options), "As a command"), scrolled(headers.join("\n"), "Headers"), shown);
  } catch {
    answer.replaceChildren(notice("The server cannot be reached. Check that it runs, then try again."));
  }
  form.removeAttribute("aria-busy");
}

async function bodyOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.startsWith("image/")) {
    const image = new Image();
    image.alt = "The picture that came back";
    image.src = URL.createObjectURL(await response.blob());
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    return image;
  }
  const sent = await response.text();
  const whole = type.includes("json") && sent ? JSON.stringify(JSON.parse(sent), null, 2) : sent;
  return scrolled(whole.length > MOST_SHOWN ? `${whole.slice(0, MOST_SHOWN)}\n…` : whole || "(no body)", "Body");
}

/** The request as a curl command; a key stays a variable, for a command is soon pasted elsewhere. */
function commandOf(url, fields, { method, headers, body }) {
  const words = ["curl", "-X", method, quoted(url.href)];
  if (headers.Authorization) words.push("-H", '"Authorization: Bearer $KEY"');
  if (typeof body === "string") words.push("-H", "'Content-Type: application/json'", "-d", quoted(body));
  for (const [name, value] of fields) words.push("-F", quoted(`${name}=${value instanceof File ? `@${value.name}` : value}`));
  return words.join(" ");
}

const quoted = (given) => `'${given.replaceAll("'", "'\\''")}'`;

function text(tag, content, className = "") {
  return Object.assign(document.createElement(tag), { textContent: content, className });
}

/** Text that scrolls in a box of its own, within reach of the keyboard. */
function scrolled(content, name) {
  const box = text("pre", content);
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", name);
  return box;
}

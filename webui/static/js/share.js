// What is on the screen, to take along: its link, or the same question as a call of the API.

const NOT_SENT = new Set(["part"]);

/**
 * Let the buttons of a panel copy the page's link and its API call.
 * @param {HTMLElement} box holds the buttons and a status; its data say where the API is and what it takes
 * @param {() => URLSearchParams} query what the panel asks
 */
export function installShare(box, query) {
  if (!box) return;
  box.addEventListener("click", (event) => {
    const wanted = event.target.closest("[data-copy]")?.dataset.copy;
    if (wanted) copy(wanted === "link" ? location.href : callOf(box.dataset, query()), box.querySelector("[role=status]"));
  });
}

/** The question as a curl command that answers as the page does. */
export function callOf({ api, sends }, query) {
  const fields = [...query].filter(([name]) => !NOT_SENT.has(name));
  if (!query.has("k")) fields.push(["k", "24"]); // the page shows more than the API does unasked
  const url = new URL(api, location.href);
  if (sends === "query") {
    url.search = new URLSearchParams(fields);
    return `curl ${quoted(url.href)}`;
  }
  if (sends === "poster") {
    const parts = [["poster", "@poster.jpg"], ...fields].map((field) => `-F ${quoted(field.join("="))}`);
    return `curl ${parts.join(" ")} ${quoted(url.href)}`;
  }
  return `curl -H 'Content-Type: application/json' -d ${quoted(JSON.stringify(bodyOf(fields)))} ${quoted(url.href)}`;
}

const LISTS = new Set(["like", "unlike", "genres"]);
const TEXTS = new Set(["series"]);

function bodyOf(fields) {
  const body = {};
  for (const [name, value] of fields) {
    if (LISTS.has(name)) (body[name] ??= []).push(value);
    else if (name === "collapse_duplicates") body[name] = value === "true";
    else body[name] = TEXTS.has(name) ? value : Number(value);
  }
  return body;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

async function copy(text, status) {
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = "Copied.";
  } catch {
    // Browsers give the clipboard to secure pages only: then the text is there to be taken by hand.
    const field = document.createElement("textarea");
    Object.assign(field, { value: text, readOnly: true, rows: 4 });
    field.setAttribute("aria-label", "To copy");
    status.replaceChildren(field);
    field.focus();
    field.select();
  }
}

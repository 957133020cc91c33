// Parts of pages, fetched as HTML: the server renders a card in one place only.

export class PartError extends Error {}

/**
 * Fetch one part of a page.
 * @param {string|URL} url
 * @param {RequestInit} [options]
 * @returns {Promise<DocumentFragment>}
 * @throws {PartError} with a sentence for people when the server refuses or cannot be reached.
 */
export async function fetchPart(url, options = {}) {
  const response = await ask(url, { ...options, headers: { Accept: "text/html", ...options.headers } });
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  return template.content;
}

/** Fetch, or throw a PartError that says why not; an abort stays an AbortError. */
export async function ask(url, options = {}) {
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new PartError("The server cannot be reached. Check that it runs, then try again.");
  }
  if (!response.ok) throw new PartError(await sentenceOf(response));
  return response;
}

async function sentenceOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.includes("json")) {
    const problem = await response.json();
    return Object.values(problem.errors ?? {}).flat().join(" ") || problem.detail || response.statusText;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.querySelector(".notice, .state li, .state p:not(.billing)")?.textContent.trim() || `The server answered ${response.status}.`;
}

/** A notice that says what went wrong, read out at once. */
export function notice(sentence) {
  const box = document.createElement("div");
  box.className = "notice alarm";
  box.setAttribute("role", "alert");
  box.textContent = sentence;
  return box;
}

/** Call `act` when calls have paused for `ms`. */
export function debounce(act, ms) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), ms);
  };
}

/** Call `act` at once, and while calls keep coming once every `ms`, the last one included. */
export function throttle(act, ms) {
  let timer = 0;
  let last = -Infinity;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        last = performance.now();
        act();
      },
      Math.max(0, last + ms - performance.now()),
    );
  };
}

// The blend: three sliders and filters; every move asks again, and only the last answer counts.
import { wasMoved } from "./moved.js";
import { fetchPart, notice, throttle } from "./part.js";
import { rerank } from "./flip.js";
import { installShare } from "./share.js";

const INKS = ["visual", "genre", "taste"];

export class Panel {
  /**
   * @param {HTMLFormElement} form
   * @param {HTMLElement} part where the neighbours stand
   * @param {(query: URLSearchParams, signal: AbortSignal) => Promise<DocumentFragment>} fetchAnswer
   */
  constructor(form, part, fetchAnswer) {
    Object.assign(this, { form, part, fetchAnswer, running: new AbortController(), chosen: false });
    this.learned = form.querySelector("[data-default]");
    this.chosen = INKS.some((ink) => new URL(location.href).searchParams.has(ink));
    this.learned.hidden = !this.chosen;
    const soon = throttle(() => this.refresh(), 60);
    form.addEventListener("input", (event) => {
      if (INKS.includes(event.target.name)) this.#mix(event.target);
      else this.#tell(event.target);
      soon();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.refresh();
    });
    installShare(form.querySelector(".share"), () => this.query());
    this.learned.addEventListener("click", () => {
      this.chosen = false;
      this.refresh();
    });
  }

  /** Ask for what was moved before this script ran, or what the browser put back; nothing where all is as it came. */
  catchUp() {
    const inks = INKS.map((ink) => this.form.elements[ink]).filter(wasMoved);
    if (inks.length) this.#mix(inks[0]);
    if (inks.length || [...this.form.elements].some(wasMoved)) this.refresh();
  }

  /** What is asked, with what stands at its default left out; the URL of the page holds it. */
  query() {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) {
      if (typeof value !== "string" || value === "") continue;
      if (INKS.includes(name) && !this.chosen) continue;
      if ((name === "min_score" || name === "diversity") && value === "0") continue;
      if ((name === "series" && value === "neutral") || (name === "k" && value === "24")) continue;
      query.append(name, value);
    }
    return query;
  }

  async refresh() {
    this.running.abort();
    const { signal } = (this.running = new AbortController());
    this.part.setAttribute("aria-busy", "true");
    try {
      const answer = await this.fetchAnswer(this.query(), signal);
      if (!signal.aborted) this.#show(answer);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.part.replaceChildren(notice(error.message));
    }
    this.part.setAttribute("aria-busy", "false");
  }

  #show(answer) {
    const [old, fresh] = [this.part.querySelector(".results"), answer.querySelector(".results")];
    if (old && fresh) {
      Object.assign(old.dataset, fresh.dataset);
      rerank(old, [...fresh.children]);
      this.part.querySelector("[role=status]").textContent = answer.querySelector("[role=status]").textContent;
    } else {
      this.part.replaceChildren(answer);
    }
    this.learned.hidden = !this.chosen;
    if (!this.chosen && fresh) this.#set(fresh.dataset);
    this.part.dispatchEvent(new CustomEvent("onesheet:cards", { bubbles: true }));
  }

  // Moving one ink leaves the others' sliders alone; the shares beside them always sum to 100 %.
  #mix(moved) {
    this.chosen = true;
    const total = () => INKS.reduce((sum, ink) => sum + Number(this.form.elements[ink].value), 0);
    if (total() === 0) moved.value = "1";
    this.#print(total());
  }

  #set(weights) {
    for (const ink of INKS) this.form.elements[ink].value = String(Math.round(100 * Number(weights[ink])));
    this.#print(100);
  }

  #print(total) {
    const most = Math.max(...INKS.map((ink) => Number(this.form.elements[ink].value)));
    for (const ink of INKS) {
      const amount = Number(this.form.elements[ink].value);
      const share = amount / total;
      this.form.querySelector(`output[for=ink-${ink}]`).value = `${Math.round(100 * share)} %`;
      this.form.querySelector(`.overprint .${ink}`).setAttribute("opacity", (amount / most).toFixed(3));
    }
  }

  #tell(control) {
    const output = control.id && this.form.querySelector(`output[for=${control.id}]`);
    if (output) output.value = `${Math.round(100 * Number(control.value))} %`;
  }
}

/** A panel whose page is a URL: the movie page, and "more like these". */
export function openPanel(form, part) {
  const panel = new Panel(form, part, (query, signal) => {
    const page = new URL(form.action);
    page.search = query;
    history.replaceState(null, "", page);
    page.searchParams.set("part", "similar");
    return fetchPart(page, { signal });
  });
  panel.catchUp();
  return panel;
}

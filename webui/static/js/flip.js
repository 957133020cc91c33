// Cards glide to their new rank (FLIP: first, last, invert, play), so that the eye can follow a blend.

const still = matchMedia("(prefers-reduced-motion: reduce)");
const TIMING = { duration: 260, easing: "cubic-bezier(.2, .7, .2, 1)" };

/**
 * Make `list` show `cards`, keeping the poster elements of movies that stay.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} cards new cards, each with data-movie-id
 */
export function rerank(list, cards) {
  const before = new Map([...list.children].map((card) => [card.dataset.movieId, card]));
  const first = new Map([...before].map(([id, card]) => [id, card.getBoundingClientRect()]));
  const next = cards.map((card) => keep(before.get(card.dataset.movieId), card));
  list.replaceChildren(...next);
  if (still.matches) return;
  const moves = next.map((card) => moveOf(first.get(card.dataset.movieId), card));
  next.forEach((card, i) => moves[i] && card.animate(moves[i], TIMING));
}

// The old card stays, so its picture does not load again and the keyboard's place is kept.
function keep(old, fresh) {
  if (!old) return fresh;
  for (const part of [".body", ".caption"]) {
    const [from, to] = [fresh.querySelector(part), old.querySelector(part)];
    if (from && to) to.replaceWith(from);
  }
  old.querySelector(".sheet").setAttribute("aria-describedby", fresh.querySelector(".sheet").getAttribute("aria-describedby"));
  return old;
}

function moveOf(from, card) {
  if (!from) return [{ opacity: 0 }, { opacity: 1 }];
  const to = card.getBoundingClientRect();
  const [x, y] = [from.left - to.left, from.top - to.top];
  if (!x && !y) return null;
  return [{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }];
}

// A window onto a plane of points that is dragged, scrolled, pinched and moved by keys, and never left without one.

const NEAREST = 400;
const STEP = 60; // pixels that an arrow moves
const REACH = 8; // pixels: a point so near the cursor is what is zoomed at, for a cursor stands on whole pixels only
const FIRST_REACH = 100; // pixels within which a nearest point is looked for first
const EDGE = 80; // pixels: a point this far within the window shows most of its poster

/**
 * @typedef {object} Points
 * @property {(i: number) => [number, number]} at where a point lies
 * @property {() => Iterable<number>} all every point
 * @property {(u: number, v: number, radius: number) => Iterable<number>} within points in a circle
 * @property {(u0: number, v0: number, u1: number, v1: number) => boolean} any whether a box holds one
 */

export class View {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{ changed: () => void, pressed: (x: number, y: number, middle: boolean) => void }} told
   * @param {Points} points what the plane holds
   */
  constructor(canvas, told, points) {
    Object.assign(this, { canvas, told, points, scale: 1, x: 0, y: 0, pointers: new Map(), travelled: 0 });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => this.#up(event));
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Width and height of the unit square on the screen: the plane is stretched to the window's shape. */
  get sides() {
    return [this.scale * this.canvas.clientWidth * 0.94, this.scale * this.canvas.clientHeight * 0.94];
  }

  get dragging() {
    return this.pointers.size > 0;
  }

  toScreen(u, v) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [wide, tall] = this.sides;
    return [width / 2 + (u - 0.5) * wide + this.x, height / 2 + (v - 0.5) * tall + this.y];
  }

  toPlane(x, y) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [wide, tall] = this.sides;
    return [(x - this.x - width / 2) / wide + 0.5, (y - this.y - height / 2) / tall + 0.5];
  }

  /**
   * Zoom by a factor and keep what lies under (x, y) where it is; 0 shows the whole plane.
   * Where the window would be left without a point, the one nearest to (x, y) stays at its edge.
   */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    if (factor === 0) {
      Object.assign(this, { scale: 1, x: 0, y: 0 });
    } else {
      const meant = this.nearest(x, y, REACH);
      const [u, v] = meant < 0 ? this.toPlane(x, y) : this.points.at(meant);
      const [wasX, wasY] = this.toScreen(u, v);
      this.scale = Math.min(NEAREST, Math.max(0.5, this.scale * factor));
      const [nowX, nowY] = this.toScreen(u, v);
      this.x += wasX - nowX;
      this.y += wasY - nowY;
      this.#keepOne(x, y);
    }
    this.told.changed();
  }

  /** The point nearest to (x, y) on the screen and at most `within` pixels away; -1 without one. */
  nearest(x, y, within = Infinity) {
    const [u, v] = this.toPlane(x, y);
    const side = Math.min(...this.sides);
    const everywhere = side * (2 + Math.hypot(u, v));
    // Looking about in growing circles: of ten thousand points the nearest few are asked where they are.
    for (let reach = Math.min(within, FIRST_REACH); ; reach = Math.min(within, 4 * reach)) {
      const found = this.#least(this.points.within(u, v, reach / side), (atX, atY) => {
        const away = Math.hypot(atX - x, atY - y);
        return away < reach ? away : Infinity;
      });
      if (found >= 0 || reach >= Math.min(within, everywhere)) return found;
    }
  }

  /** The point nearest to (x, y) of those whose box, half so wide and tall, covers it; -1 without one. */
  covering(x, y, wide, tall) {
    const around = this.points.within(...this.toPlane(x, y), Math.hypot(wide, tall) / Math.min(...this.sides));
    return this.#least(around, (atX, atY) => {
      const [right, down] = [Math.abs(atX - x), Math.abs(atY - y)];
      return right <= wide && down <= tall ? Math.hypot(right, down) : Infinity;
    });
  }

  /** The point for which `cost` of its place on the screen is least and finite; -1 without one. */
  #least(candidates, cost) {
    let [best, least] = [-1, Infinity];
    for (const i of candidates) {
      const costs = cost(...this.toScreen(...this.points.at(i)));
      if (costs < least) [best, least] = [i, costs];
    }
    return best;
  }

  get #edges() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return [Math.min(EDGE, width / 4), Math.min(EDGE, height / 4)];
  }

  /** Whether a point lies in the window, far enough from its edges. */
  get #holdsOne() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [besideX, besideY] = this.#edges;
    return this.points.any(...this.toPlane(besideX, besideY), ...this.toPlane(width - besideX, height - besideY));
  }

  /** Bring the point nearest to (x, y) back where the window holds none. */
  #keepOne(x, y) {
    if (this.#holdsOne) return;
    const i = this.nearest(x, y);
    if (i >= 0) this.#bringIn(i, ...this.#edges);
  }

  /** Move the window as little as brings a point so far within its edges. */
  #bringIn(i, besideX, besideY) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [atX, atY] = this.toScreen(...this.points.at(i));
    this.x += Math.min(width - besideX, Math.max(besideX, atX)) - atX;
    this.y += Math.min(height - besideY, Math.max(besideY, atY)) - atY;
  }

  /** Move one step; where nothing would be in sight, go on to the next point that way, or stay at the last. */
  #step(right, down) {
    const [x, y] = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2];
    const before = this.nearest(x, y);
    this.x -= STEP * right;
    this.y -= STEP * down;
    if (this.#holdsOne) return;
    const next = this.#least(this.points.all(), (atX, atY) => {
      const ahead = (atX - x) * right + (atY - y) * down;
      const aside = Math.abs((atX - x) * down) + Math.abs((atY - y) * right);
      return ahead > 0 && aside <= ahead ? ahead + aside : Infinity; // each point lies before one of the four arrows
    });
    if (next >= 0) this.#bringIn(next, x, y);
    else if (before >= 0) this.#bringIn(before, ...this.#edges);
  }

  #down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    if (this.pointers.size === 0) this.travelled = 0;
    this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
  }

  #move(event) {
    const from = this.pointers.get(event.pointerId);
    if (!from) return;
    const to = [event.offsetX, event.offsetY];
    this.travelled += Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (this.pointers.size === 1) {
      this.x += to[0] - from[0];
      this.y += to[1] - from[1];
      this.told.changed();
    } else {
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
      const apart = ([x, y]) => Math.max(1, Math.hypot(x - other[0], y - other[1]));
      this.zoom(apart(to) / apart(from), (to[0] + other[0]) / 2, (to[1] + other[1]) / 2);
    }
    this.pointers.set(event.pointerId, to);
  }

  #up(event) {
    const alone = this.pointers.size === 1;
    if (!this.pointers.delete(event.pointerId)) return;
    if (alone && event.type === "pointerup" && this.travelled < 6) this.told.pressed(event.offsetX, event.offsetY);
    if (alone) this.#keepOne(this.canvas.clientWidth / 2, this.canvas.clientHeight / 2);
    this.told.changed();
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * 0.0018), event.offsetX, event.offsetY);
  }

  #key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (steps[event.key]) {
      this.#step(...steps[event.key]);
      this.told.changed();
    } else if (event.key === "+" || event.key === "=") this.zoom(1.4);
    else if (event.key === "-") this.zoom(1 / 1.4);
    else if (event.key === "0") this.zoom(0);
    else if (event.key === "Enter") this.told.pressed(this.canvas.clientWidth / 2, this.canvas.clientHeight / 2, true);
    else return;
    event.preventDefault();
  }
}

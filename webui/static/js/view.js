// A window onto a plane that is dragged, scrolled, pinched and moved by keys.

const NEAREST = 400;

export class View {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{ changed: () => void, pressed: (x: number, y: number) => void }} told
   */
  constructor(canvas, told) {
    Object.assign(this, { canvas, told, scale: 1, x: 0, y: 0, pointers: new Map(), travelled: 0 });
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

  /** Zoom by a factor and keep what lies under (x, y) where it is; 0 shows the whole plane. */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    if (factor === 0) {
      Object.assign(this, { scale: 1, x: 0, y: 0 });
    } else {
      const [u, v] = this.toPlane(x, y);
      this.scale = Math.min(NEAREST, Math.max(0.5, this.scale * factor));
      const [nowX, nowY] = this.toScreen(u, v);
      this.x += x - nowX;
      this.y += y - nowY;
    }
    this.told.changed();
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
    this.told.changed();
  }

  #wheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * 0.0018), event.offsetX, event.offsetY);
  }

  #key(event) {
    const steps = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (steps[event.key]) {
      this.x += 60 * steps[event.key][0];
      this.y += 60 * steps[event.key][1];
      this.told.changed();
    } else if (event.key === "+" || event.key === "=") this.zoom(1.4);
    else if (event.key === "-") this.zoom(1 / 1.4);
    else if (event.key === "0") this.zoom(0);
    else if (event.key === "Enter") this.told.pressed(this.canvas.clientWidth / 2, this.canvas.clientHeight / 2, true);
    else return;
    event.preventDefault();
  }
}

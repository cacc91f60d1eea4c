// The canvas: where one looks, and how it follows pointer, wheel, fingers and keys. What was drawn is kept, larger than
// the view, and moved along, which costs the same for any network; it is drawn anew at rest.

const MARGIN = 0.3; // of the view, drawn beyond each of its edges
const QUICK_MS = 30;
const MOST = 2.5;
const REST_MS = 90;
const STEP = 60; // pixels, of an arrow key
const CLOSEST = 12; // pixels per metre

export class Surface {
  #frame = 0;
  #timer = 0;
  #cost = 0;
  #kept = null; // {canvas, view}
  #stale = true;
  #pointers = new Map();

  constructor(canvas, painter, { hover, pick }) {
    this.canvas = canvas;
    this.painter = painter;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.hover = hover;
    this.pick = pick;
    this.style = getComputedStyle(canvas); // follows light and dark
    this.marked = -1;
    this.pixels = Math.min(2, devicePixelRatio || 1);
    this.#listen();
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  use(painter) {
    this.painter = painter;
    this.marked = -1;
    this.fit();
  }

  fit() {
    const { width, height } = this.painter.network;
    const scale = 0.94 * Math.min(this.width / width, this.height / height);
    this.least = scale / 2;
    this.scale = Math.min(CLOSEST, scale);
    this.x = width / 2;
    this.y = height / 2;
    this.again();
  }

  // To an edge, near enough to see it.
  goTo(edge) {
    [this.x, this.y] = this.painter.network.middle(edge);
    this.scale = Math.min(CLOSEST, Math.max(this.scale, 0.5 * Math.min(this.width, this.height) / Math.max(300, this.painter.network.lengths[edge])));
    this.again();
  }

  mark(edge) {
    if (this.marked === edge) return;
    this.marked = edge;
    this.#ask();
  }

  // What is drawn has changed.
  again() {
    this.#stale = true;
    this.#ask();
  }

  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const [mx, my] = this.place(px, py);
    this.scale = Math.max(this.least, Math.min(CLOSEST, this.scale * factor));
    this.x = mx - (px - this.width / 2) / this.scale;
    this.y = my + (py - this.height / 2) / this.scale;
    this.#ask();
  }

  pan(dx, dy) {
    const { width, height } = this.painter.network;
    this.x = Math.max(0, Math.min(width, this.x - dx / this.scale));
    this.y = Math.max(0, Math.min(height, this.y + dy / this.scale));
    this.#ask();
  }

  place(px, py) {
    return [this.x + (px - this.width / 2) / this.scale, this.y - (py - this.height / 2) / this.scale];
  }

  at(px, py, within = 8) {
    const [x, y] = this.place(px, py);
    const view = { scale: this.scale };
    return this.painter.network.nearest(x, y, within / this.scale, this.painter.shiftAt(view));
  }

  #resize() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth || (clientWidth === this.width && clientHeight === this.height)) return;
    const first = this.width === undefined;
    this.width = clientWidth;
    this.height = clientHeight;
    this.canvas.width = clientWidth * this.pixels;
    this.canvas.height = clientHeight * this.pixels;
    if (first) this.fit();
    else this.again();
  }

  #view(margin) {
    const width = this.width * (1 + 2 * margin);
    const height = this.height * (1 + 2 * margin);
    return { scale: this.scale, left: this.x - width / 2 / this.scale, bottom: this.y - height / 2 / this.scale, width, height };
  }

  #ask() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #covers() {
    const view = this.#view(0);
    const kept = this.#kept?.view;
    return kept && kept.scale === view.scale && kept.left <= view.left && kept.bottom <= view.bottom
      && kept.left + kept.width / kept.scale >= view.left + view.width / view.scale
      && kept.bottom + kept.height / kept.scale >= view.bottom + view.height / view.scale;
  }

  // Panned out of what was drawn, where drawing is quick; or zoomed so far that the moved picture tells nothing.
  #mustNow() {
    const times = this.scale / this.#kept.view.scale;
    return times === 1 ? this.#cost < QUICK_MS : times > MOST || times < 1 / MOST;
  }

  #draw() {
    if (!this.painter.order || !this.width) return;
    if (this.#stale || !this.#covers()) {
      clearTimeout(this.#timer);
      if (this.#stale || this.#mustNow()) this.#keep();
      else this.#timer = setTimeout(() => { this.#stale = true; this.#ask(); }, REST_MS);
    }
    const { pen, pixels } = this;
    const { canvas, view } = this.#kept;
    const times = this.scale / view.scale;
    const [left, top] = [this.width / 2 + (view.left - this.x) * this.scale, this.height / 2 - (view.bottom - this.y) * this.scale - view.height * times];
    pen.setTransform(pixels, 0, 0, pixels, 0, 0);
    pen.fillStyle = this.style.backgroundColor;
    pen.fillRect(0, 0, this.width, this.height);
    pen.imageSmoothingEnabled = false; // a picture that is moved along is soon drawn anew
    pen.drawImage(canvas, left, top, view.width * times, view.height * times);
    if (this.marked >= 0) {
      this.painter.outline(pen, this.marked, this.#view(0), { halo: this.style.backgroundColor, line: this.style.color });
    }
  }

  #keep() {
    const begun = performance.now();
    const view = this.#view(MARGIN);
    const canvas = this.#kept?.canvas || document.createElement("canvas");
    const [width, height] = [Math.ceil(view.width * this.pixels), Math.ceil(view.height * this.pixels)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d", { alpha: false });
    pen.setTransform(this.pixels, 0, 0, this.pixels, 0, 0);
    pen.fillStyle = this.style.backgroundColor;
    pen.fillRect(0, 0, view.width, view.height);
    this.painter.paint(pen, view);
    this.#kept = { canvas, view };
    this.#stale = false;
    this.#cost = performance.now() - begun;
  }

  #listen() {
    const { canvas } = this;
    const spot = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    let moved = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, spot(event));
      if (this.#pointers.size === 1) moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = this.#pointers.get(event.pointerId);
      const now = spot(event);
      if (!before) {
        this.hover(this.at(...now), ...now);
        return;
      }
      const others = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      if (others.length) {
        const [ox, oy] = others[0];
        this.zoom((Math.hypot(now[0] - ox, now[1] - oy) || 1) / (Math.hypot(before[0] - ox, before[1] - oy) || 1), ox, oy);
      } else this.pan(now[0] - before[0], now[1] - before[1]);
      moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
      this.#pointers.set(event.pointerId, now);
    });
    const up = (event) => {
      const was = this.#pointers.delete(event.pointerId);
      if (was && event.type === "pointerup" && moved < 5) this.pick(this.at(...spot(event), event.pointerType === "touch" ? 18 : 8));
    };
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", () => this.hover(-1, 0, 0));
    // A page that is scrolled past the map must not be caught by it: the wheel zooms once the map has been clicked.
    canvas.addEventListener("wheel", (event) => {
      if (document.activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      this.zoom(1.0018 ** -event.deltaY, ...spot(event));
    }, { passive: false });
    const keys = {
      ArrowLeft: () => this.pan(STEP, 0), ArrowRight: () => this.pan(-STEP, 0),
      ArrowUp: () => this.pan(0, STEP), ArrowDown: () => this.pan(0, -STEP),
      "+": () => this.zoom(1.5), "=": () => this.zoom(1.5), "-": () => this.zoom(1 / 1.5), 0: () => this.fit(),
      Enter: () => this.pick(this.at(this.width / 2, this.height / 2, 40)),
      Escape: () => this.pick(-1),
    };
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
  }
}

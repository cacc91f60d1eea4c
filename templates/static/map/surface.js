// The canvas and where one looks. A picture is kept, larger than the view, and moved along, which costs the same for any
// network; the worker paints the next one meanwhile.
import { follow } from "./gestures.js";
import { Pictures } from "./pictures.js";

const MARGIN = 0.3; // of the view, painted beyond each of its edges
const SPARE = 0.1; // of the view: as little as may be left of it before the next picture is asked for
const TIMES = 2.5; // as often while one zooms; the last bit when it rests
const SLOW_MS = 40; // to paint: such pictures are painted when it rests, or would tell nothing any more
const MOST = 4; // times
const REST_MS = 90;
const CLOSEST = 12; // pixels per metre

export class Surface {
  #frame = 0;
  #timer = 0;
  #kept = null; // {image, view, look}
  #whole = null; // the same of the whole network, seen beside what is kept when one zooms out
  #stale = true;
  #rests = false;

  // `painter` marks single edges; its pictures come from the worker at the address `worker`.
  constructor(canvas, worker, { hover, pick, painted, failed }) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.hover = hover;
    this.pick = pick;
    this.painted = painted;
    this.style = getComputedStyle(canvas); // follows light and dark
    this.marked = -1;
    this.pixels = Math.min(2, devicePixelRatio || 1);
    this.pictures = new Pictures(worker, { arrived: (picture) => this.#take(picture), failed });
  }

  // The first time, when the canvas has its place on the page; or another network.
  use(painter) {
    const first = !this.painter;
    this.painter = painter;
    this.marked = -1;
    this.pictures.network(painter.network);
    if (!first) {
      this.#forget();
      this.fit();
      return;
    }
    follow(this);
    new ResizeObserver(() => this.#resize()).observe(this.canvas);
    this.#resize();
  }

  fit() {
    const { width, height } = this.painter.network;
    this.least = this.#fitting() / 2;
    this.scale = Math.min(CLOSEST, this.#fitting());
    this.x = width / 2;
    this.y = height / 2;
    this.#move();
  }

  // To an edge, near enough to see it.
  goTo(edge) {
    [this.x, this.y] = this.painter.network.middle(edge);
    this.scale = Math.min(CLOSEST, Math.max(this.scale, 0.5 * Math.min(this.width, this.height) / Math.max(300, this.painter.network.lengths[edge])));
    this.#move();
  }

  mark(edge) {
    if (this.marked === edge) return;
    this.marked = edge;
    this.#ask();
  }

  // How edges look has changed.
  again() {
    this.pictures.look(this.painter.look);
    this.#whole?.image.close();
    this.#whole = null;
    this.#stale = true;
    this.#ask();
  }

  zoom(factor, px = this.width / 2, py = this.height / 2) {
    const [mx, my] = this.place(px, py);
    this.scale = Math.max(this.least, Math.min(CLOSEST, this.scale * factor));
    this.x = mx - (px - this.width / 2) / this.scale;
    this.y = my + (py - this.height / 2) / this.scale;
    this.#move();
  }

  pan(dx, dy) {
    const { width, height } = this.painter.network;
    this.x = Math.max(0, Math.min(width, this.x - dx / this.scale));
    this.y = Math.max(0, Math.min(height, this.y + dy / this.scale));
    this.#move();
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
    this.#stale = true;
    if (first) this.fit();
    else this.#ask();
  }

  #view(margin) {
    const width = this.width * (1 + 2 * margin);
    const height = this.height * (1 + 2 * margin);
    return { scale: this.scale, left: this.x - width / 2 / this.scale, bottom: this.y - height / 2 / this.scale, width, height };
  }

  #fitting() {
    const { width, height } = this.painter.network;
    return 0.94 * Math.min(this.width / width, this.height / height);
  }

  #all() {
    const { width, height } = this.painter.network;
    const scale = this.#fitting();
    return { scale, left: 0, bottom: 0, width: width * scale, height: height * scale };
  }

  #move() {
    this.#rests = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#rests = true; this.#ask(); }, REST_MS);
    this.#ask();
  }

  #ask() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  // Does the picture reach as far as the view, and `spare` of it beyond?
  #reaches(picture, spare) {
    const view = this.#view(spare);
    const has = picture.view;
    return has.left <= view.left && has.bottom <= view.bottom
      && has.left + has.width / has.scale >= view.left + view.width / view.scale
      && has.bottom + has.height / has.scale >= view.bottom + view.height / view.scale;
  }

  #needsNext() {
    if (this.#stale || !this.#kept) return true;
    const times = this.scale / this.#kept.view.scale;
    if (this.#rests) return times !== 1 || !this.#reaches(this.#kept, SPARE);
    if (this.pictures.took > SLOW_MS) return times > MOST || times < 1 / MOST;
    return times > TIMES || times < 1 / TIMES || !this.#reaches(this.#kept, SPARE);
  }

  #order(view, of) {
    this.pictures.ask({ view, of, pixels: this.pixels, background: this.style.backgroundColor });
  }

  #take(picture) {
    const before = this.#kept;
    if (picture.of === "whole") {
      if (picture.look === before?.look && !this.#stale) this.#whole = picture;
      else picture.image.close();
      return;
    }
    this.#kept = picture;
    if (before && !this.#whole && before.look === picture.look && this.#isWhole(before)) this.#whole = before;
    else before?.image.close();
    this.#draw();
    if (!before) this.painted();
  }

  #isWhole({ view }) {
    const { width, height } = this.painter.network;
    return view.left <= 0 && view.bottom <= 0 && view.left + view.width / view.scale >= width && view.bottom + view.height / view.scale >= height;
  }

  #forget() {
    for (const picture of [this.#kept, this.#whole]) picture?.image.close();
    this.#kept = this.#whole = null;
  }

  #draw() {
    if (!this.painter.order || !this.width) return;
    if (this.#needsNext()) {
      this.#stale = false;
      this.#order(this.#view(MARGIN), "view");
    } else if (this.#rests && !this.#whole && !this.pictures.busy && !this.#isWhole(this.#kept)) this.#order(this.#all(), "whole");
    if (!this.#kept) return;
    const { pen, pixels } = this;
    pen.setTransform(pixels, 0, 0, pixels, 0, 0);
    pen.imageSmoothingEnabled = false; // a picture that is moved along is soon painted anew
    if (!this.#reaches(this.#kept, 0)) {
      pen.fillStyle = this.style.backgroundColor;
      pen.fillRect(0, 0, this.width, this.height);
      if (this.#whole) this.#lay(this.#whole);
    }
    this.#lay(this.#kept);
    if (this.marked < 0) return;
    this.painter.outline(pen, this.marked, this.#view(0), { halo: this.style.backgroundColor, line: this.style.color });
  }

  #lay({ image, view }) {
    const times = this.scale / view.scale;
    const left = this.width / 2 + (view.left - this.x) * this.scale;
    const top = this.height / 2 - (view.bottom - this.y) * this.scale - view.height * times;
    this.pen.drawImage(image, left, top, view.width * times, view.height * times);
  }
}

// Draws the edges in view, one path for all of a colour and width: a canvas is fast as long as its pen changes rarely.
import { WIDTHS } from "./scale.js";

const MANY = 20000; // edges in view; beyond, each is one straight line, and those under a pixel are left out
const LANE_M = 3.2;
const NEAR = 1.2; // pixels per metre, from which on a lane has its own width
const LANES_FROM = 3;
const SIGNALS_FROM = 0.6;
const SHIFT = 0.6; // of its width that an edge lies right of its line, from afar
const NOTHING = 255;

export class Painter {
  constructor(network) {
    this.network = network;
    const count = network.lanes.length;
    this.colours = new Uint8Array(count).fill(NOTHING);
    this.widths = new Uint8Array(count);
    this.scale = null;
    this.order = null;
  }

  // A class for each edge (or -1: grey), and how wide it is; `scale` has the colours and which of them lies on top.
  set(classOf, widthOf, scale) {
    const count = this.colours.length;
    this.scale = scale;
    const rank = new Uint8Array(256);
    scale.order.forEach((colour, place) => { rank[colour] = place + 1; });
    rank[NOTHING] = 0;
    const keys = new Uint8Array(count);
    const sizes = new Uint32Array(256);
    for (let edge = 0; edge < count; edge++) {
      const colour = classOf(edge);
      this.colours[edge] = colour < 0 ? NOTHING : colour;
      this.widths[edge] = widthOf(edge);
      keys[edge] = rank[this.colours[edge]] * WIDTHS.length + this.widths[edge];
      sizes[keys[edge]]++;
    }
    let sum = 0;
    const places = sizes.map((size) => { const at = sum; sum += size; return at; });
    this.order = new Uint32Array(count);
    for (let edge = 0; edge < count; edge++) this.order[places[keys[edge]]++] = edge;
  }

  // What `set` made, for a painter of the same network elsewhere.
  get look() {
    const { colours, widths, order, scale } = this;
    return { colours, widths, order, scale };
  }

  // `view`: {scale (px/m), left, bottom (m), width, height (px)}.
  paint(pen, view) {
    const shown = this.#inView(view);
    const far = shown.length > MANY;
    pen.lineJoin = "round";
    pen.lineCap = far || view.scale >= NEAR ? "butt" : "round";
    for (let at = 0; at < shown.length;) {
      const edge = shown[at];
      const [colour, width, lanes] = [this.colours[edge], this.widths[edge], this.#lanes(edge, view)];
      pen.beginPath();
      for (; at < shown.length; at++) {
        const next = shown[at];
        if (this.colours[next] !== colour || this.widths[next] !== width || this.#lanes(next, view) !== lanes) break;
        this.#trace(pen, next, view, this.#shift(width, view), far);
      }
      pen.strokeStyle = colour === NOTHING ? this.scale.none : this.scale.colours[colour];
      pen.lineWidth = lanes ? Math.max(WIDTHS[width], lanes * LANE_M * view.scale * 0.9) : WIDTHS[width];
      pen.stroke();
    }
    if (view.scale >= LANES_FROM) this.#marks(pen, view);
    if (view.scale >= SIGNALS_FROM) this.#signals(pen, view);
  }

  outline(pen, edge, view, colour) {
    const width = this.widths[edge];
    pen.lineJoin = "round";
    pen.lineCap = view.scale >= NEAR ? "butt" : "round";
    for (const [more, style] of [[6, colour.halo], [2.5, colour.line]]) {
      pen.beginPath();
      this.#trace(pen, edge, view, this.#shift(width, view), false);
      pen.strokeStyle = style;
      pen.lineWidth = Math.max(WIDTHS[width], this.#lanes(edge, view) * LANE_M * view.scale * 0.9) + more;
      pen.stroke();
    }
    pen.beginPath();
    this.#trace(pen, edge, view, this.#shift(width, view), false);
    pen.strokeStyle = this.colours[edge] === NOTHING ? this.scale.none : this.scale.colours[this.colours[edge]];
    pen.lineWidth = Math.max(WIDTHS[width], this.#lanes(edge, view) * LANE_M * view.scale * 0.9);
    pen.stroke();
  }

  // Metres; so does `Network.nearest` find what is seen.
  shiftAt(view) {
    return this.#shift(1, view) / view.scale;
  }

  #lanes(edge, view) {
    return view.scale >= NEAR ? this.network.lanes[edge] : 0;
  }

  #shift(width, view) {
    return view.scale >= NEAR ? 0 : WIDTHS[width] * SHIFT;
  }

  #sees(edge, view) {
    const { box } = this.network;
    const at = 4 * edge;
    return box[at + 2] >= view.left && box[at] <= view.left + view.width / view.scale
      && box[at + 3] >= view.bottom && box[at + 1] <= view.bottom + view.height / view.scale;
  }

  #inView(view) {
    this.shown ||= new Uint32Array(this.colours.length);
    let count = 0;
    for (const edge of this.order) if (this.#sees(edge, view)) this.shown[count++] = edge;
    return this.shown.subarray(0, count);
  }

  #trace(pen, edge, view, shift, far) {
    const { start, x, y, rightX, rightY } = this.network;
    const { scale, left, bottom, height } = view;
    const first = start[edge];
    const last = start[edge + 1] - 1;
    const step = far ? Math.max(1, last - first) : 1;
    if (far && Math.abs(x[last] - x[first]) + Math.abs(y[last] - y[first]) < 1 / scale) return;
    for (let point = first; point <= last; point += step) {
      const px = (x[point] - left) * scale + shift * rightX[point];
      const py = height - (y[point] - bottom) * scale - shift * rightY[point];
      if (point === first) pen.moveTo(px, py);
      else pen.lineTo(px, py);
    }
  }

  // Dashes between lanes.
  #marks(pen, view) {
    pen.beginPath();
    for (const edge of this.#inView(view)) {
      const lanes = this.network.lanes[edge];
      for (let lane = 1; lane < lanes; lane++) this.#trace(pen, edge, view, (lane - lanes / 2) * LANE_M * view.scale, false);
    }
    pen.setLineDash([3 * view.scale, 4 * view.scale]);
    pen.strokeStyle = "rgb(255 255 255 / 75%)";
    pen.lineWidth = 1;
    pen.stroke();
    pen.setLineDash([]);
  }

  #signals(pen, view) {
    const { signals } = this.network;
    const size = Math.min(7, 3 + view.scale);
    pen.beginPath();
    for (let at = 0; at < signals.length; at += 2) {
      const px = (signals[at] - view.left) * view.scale;
      const py = view.height - (signals[at + 1] - view.bottom) * view.scale;
      if (px < 0 || py < 0 || px > view.width || py > view.height) continue;
      pen.moveTo(px + size, py);
      pen.arc(px, py, size, 0, 7);
    }
    pen.fillStyle = "#18212a";
    pen.fill();
    pen.strokeStyle = "#ffffff";
    pen.lineWidth = 1.5;
    pen.stroke();
  }
}

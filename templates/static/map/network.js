// The network as it comes (docs/edges.md), unpacked into flat arrays: points in metres from the lower left corner.

const number = (value) => (Number.isFinite(value) ? value : 0);

export class Network {
  constructor(told) {
    const unit = number(told.unit_m) || 0.1;
    this.order = told.edge_order;
    this.ids = told.ids.map(String);
    this.lanes = told.lanes;
    this.lengths = told.length_m;
    this.limits = told.limit_ms;
    this.width = Math.max(1, number(told.size[0]) * unit);
    this.height = Math.max(1, number(told.size[1]) * unit);
    const count = this.ids.length;
    this.start = new Uint32Array(count + 1);
    for (let edge = 0; edge < count; edge++) this.start[edge + 1] = this.start[edge] + number(told.points[edge]);
    const points = this.start[count];
    this.x = new Float32Array(points);
    this.y = new Float32Array(points);
    let x = 0;
    let y = 0;
    for (let point = 0; point < points; point++) {
      x += number(told.shape[2 * point]);
      y += number(told.shape[2 * point + 1]);
      this.x[point] = x * unit;
      this.y[point] = y * unit;
    }
    this.signals = new Float32Array(told.signals.length);
    x = y = 0;
    for (let at = 0; at + 1 < told.signals.length; at += 2) {
      x += number(told.signals[at]);
      y += number(told.signals[at + 1]);
      this.signals[at] = x * unit;
      this.signals[at + 1] = y * unit;
    }
    this.#measure(count);
  }

  // Boxes to leave out what is not in view, and at each point the direction to its right: two directions of a street
  // are drawn beside each other, however far away one looks.
  #measure(count) {
    const { start, x, y } = this;
    this.box = new Float32Array(4 * count);
    this.rightX = new Float32Array(x.length);
    this.rightY = new Float32Array(x.length);
    for (let edge = 0; edge < count; edge++) {
      const first = start[edge];
      const last = start[edge + 1] - 1;
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      for (let point = first; point <= last; point++) {
        box[0] = Math.min(box[0], x[point]);
        box[1] = Math.min(box[1], y[point]);
        box[2] = Math.max(box[2], x[point]);
        box[3] = Math.max(box[3], y[point]);
        const from = Math.max(first, point - 1);
        const to = Math.min(last, point + 1);
        const dx = x[to] - x[from];
        const dy = y[to] - y[from];
        const length = Math.hypot(dx, dy) || 1;
        this.rightX[point] = dy / length;
        this.rightY[point] = -dx / length;
      }
      this.box.set(box, 4 * edge);
    }
  }

  // The edge whose line is nearest to a place, both in metres, or -1; `shift` is how far right of it it is drawn.
  nearest(px, py, within, shift) {
    const { start, x, y, box, rightX, rightY } = this;
    let best = -1;
    let least = within;
    for (let edge = 0; edge < this.ids.length; edge++) {
      const at = 4 * edge;
      const reach = least + shift;
      if (px < box[at] - reach || px > box[at + 2] + reach || py < box[at + 1] - reach || py > box[at + 3] + reach) continue;
      for (let point = start[edge]; point < start[edge + 1] - 1; point++) {
        const ax = x[point] + shift * rightX[point];
        const ay = y[point] + shift * rightY[point];
        const dx = x[point + 1] + shift * rightX[point + 1] - ax;
        const dy = y[point + 1] + shift * rightY[point + 1] - ay;
        const along = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
        const off = Math.hypot(px - ax - along * dx, py - ay - along * dy);
        if (off < least) {
          least = off;
          best = edge;
        }
      }
    }
    return best;
  }

  find(id) {
    this.places ||= new Map(this.ids.map((name, edge) => [name, edge]));
    return this.places.get(id) ?? -1;
  }

  middle(edge) {
    const point = (this.start[edge] + this.start[edge + 1] - 1) / 2;
    const a = Math.floor(point);
    const b = Math.ceil(point);
    return [(this.x[a] + this.x[b]) / 2, (this.y[a] + this.y[b]) / 2];
  }
}

// A map: [data-map] with the addresses of its data. Here its controls become questions, and answers what is drawn.
import { onChoice, simulated } from "../charts/moments.js";
import { curveOf, facts } from "./curve.js";
import { make, showLegend, showTable } from "./legend.js";
import { Painter } from "./painter.js";
import { classOf, isDark, scaleOf, text, widthOf } from "./scale.js";
import { Source, Trouble } from "./source.js";
import { Surface } from "./surface.js";

const PLAY_MS = 800;

class TrafficMap {
  #asked = 0;
  #timer = 0;

  constructor(box) {
    this.box = box;
    this.part = (name) => box.querySelector(`[data-part="${name}"]`);
    this.source = new Source(box.dataset);
    this.interval = null;
    this.selected = -1;
    this.hovered = -1;
  }

  async open() {
    this.surface = new Surface(this.part("canvas"), this.box.dataset.worker, {
      hover: (edge, x, y) => this.#hover(edge, x, y),
      pick: (edge) => this.select(edge),
      painted: () => requestAnimationFrame(() => performance.measure("map: first paint", { start: this.begun, end: performance.now() })),
      failed: () => this.say("This browser cannot draw the map. Its figures are in the table below."),
    });
    const first = this.#question("speed_ratio");
    const [network, told] = await Promise.all([
      this.source.network({ cell: first.cell }), this.source.edges(first), this.source.edges({ ...first, minus: null, metric: "volume" }),
    ]);
    this.network = network;
    this.#offer(told);
    this.part("body").hidden = false;
    this.begun = performance.now();
    this.painter = new Painter(network);
    this.surface.use(this.painter);
    await this.show();
    this.#listen();
  }

  #question(metric, interval = this.interval, per = this.part("per").checked ? "km" : "edge") {
    const cell = this.part("cell")?.value || null;
    const minus = this.part("minus")?.value || null;
    return { metric, interval, per, cell, minus: minus === cell ? null : minus };
  }

  #offer(told) {
    this.metrics = told.metrics;
    this.intervals = told.intervals;
    this.part("metric").replaceChildren(...told.metrics.map(({ metric, label, unit }) => make("option", { value: metric, textContent: unit ? `${label} (${unit})` : label })));
    this.part("time").hidden = told.intervals.length < 2;
    this.part("interval").max = told.intervals.length;
    this.part("ids").replaceChildren(...(this.network.ids.length <= 2000 ? this.network.ids.map((id) => make("option", { value: id })) : []));
  }

  // Asks for what the controls say and draws it; an answer that comes late gives way to the newer question.
  async show() {
    const number = ++this.#asked;
    const metric = this.part("metric").value;
    const question = this.#question(metric);
    this.box.setAttribute("aria-busy", "true");
    try {
      const plain = { ...question, minus: null };
      const [told, volume] = await Promise.all([this.source.edges(question), this.source.edges({ ...plain, metric: "volume" })]);
      if (number !== this.#asked) return;
      if (told.edge_order !== this.network.order) await this.#replace(question.cell, told.edge_order);
      if (number !== this.#asked) return;
      this.told = told;
      this.volume = volume.values;
      this.say("");
      this.draw();
    } catch (error) {
      this.#fail(error);
    } finally {
      if (number === this.#asked) this.box.removeAttribute("aria-busy");
    }
  }

  // Cells may have networks of their own.
  async #replace(cell, order) {
    const network = await this.source.network({ cell });
    if (network.order !== order) throw new Trouble("These figures are of another network.");
    this.network = network;
    this.painter = new Painter(network);
    this.selected = this.hovered = -1;
    this.surface.use(this.painter);
  }

  draw() {
    const { told } = this;
    const known = this.metrics.find(({ metric }) => metric === told.metric);
    this.difference = Boolean(told.minus);
    this.percent = this.difference && this.part("percent").checked;
    this.part("per").disabled = !known.grows;
    this.part("percent").disabled = !this.difference;
    const seconds = told.interval === null ? told.intervals.reduce((sum, [from, to]) => sum + to - from, 0) : told.intervals[told.interval][1] - told.intervals[told.interval][0];
    this.values = this.percent ? told.values.map((value, edge) => (value == null || !told.base[edge] ? null : value / Math.abs(told.base[edge]))) : told.values;
    const scale = scaleOf(told, seconds, { difference: this.difference, percent: this.percent, dark: isDark() });
    const tested = told.significant;
    const quiet = (edge) => this.values[edge] == null || (tested && !tested[edge]) || (!this.difference && this.volume[edge] === 0 && this.values[edge] === 0);
    this.painter.set((edge) => (quiet(edge) ? -1 : classOf(this.values[edge], scale.limits)), (edge) => widthOf(this.volume[edge]), scale);
    this.surface.again();
    showLegend(this.part("legend"), scale, { ...told, tested: Boolean(tested), percent: this.percent, signals: this.network.signals.length > 0, edges: tested ? tested.length : 0, shown: tested ? this.values.filter((value, edge) => value != null && tested[edge]).length : 0 });
    const unit = this.percent ? "%" : told.unit;
    const significant = this.values.map((value, edge) => (value == null || (tested && !tested[edge]) ? null : this.percent ? 100 * value : value));
    const columns = [{ label: this.difference ? `${told.label}, difference` : told.label, unit, values: significant }, { label: "Volume", unit: "veh/h", values: this.volume }];
    showTable(this.part("table"), this.network.ids, columns, this.difference ? 0 : told.better > 0 ? -1 : 1, (edge) => this.go(edge));
    this.part("when").textContent = told.interval === null ? "All the time" : told.intervals[told.interval].map(simulated).join(" to ");
    if (this.selected >= 0) this.#tell();
  }

  go(edge) {
    this.surface.goTo(edge);
    this.select(edge);
    this.part("canvas").scrollIntoView({ block: "nearest" });
  }

  select(edge) {
    this.selected = edge;
    this.surface.mark(edge);
    this.#tell();
  }

  async #tell() {
    const { selected, told, network } = this;
    const panel = this.part("edge");
    panel.hidden = selected < 0;
    if (selected < 0) return;
    const pairs = [
      ["Edge", network.ids[selected]],
      [told.label + (this.difference ? ", difference" : ""), this.#figure(selected)],
      ["Volume", text(this.volume[selected], "veh/h")],
      ["Length", text(network.lengths[selected], "m")],
      ["Lanes", text(network.lanes[selected])],
      ["Limit", text(network.limits[selected] * 3.6, "km/h")],
    ];
    const close = make("button", { type: "button", textContent: "Close", onclick: () => this.select(-1) });
    panel.replaceChildren(facts(pairs), close);
    if (this.intervals.length < 2) return;
    try {
      const of = (cell) => this.source.curve({ edge: network.ids[selected], cell });
      const curves = await Promise.all([of(told.cell ?? null), ...(told.minus ? [of(told.minus)] : [])]);
      if (this.selected !== selected || this.told !== told) return;
      const known = this.metrics.find(({ metric }) => metric === told.metric);
      const lines = curves.map(({ series }, place) => ({ name: place ? told.minus : told.cell ?? "", values: series[told.metric] || [] }));
      close.before(curveOf(lines, curves[0].intervals, { label: told.label, unit: known.unit, now: told.interval }));
    } catch (error) {
      this.#fail(error);
    }
  }

  #figure(edge) {
    const value = this.values[edge];
    const words = this.percent ? (value == null ? "–" : `${(value * 100).toFixed(1)} %`) : text(value, this.told.unit);
    return this.told.significant && value != null && !this.told.significant[edge] ? `${words}, not significant` : words;
  }

  #hover(edge, x, y) {
    const tip = this.part("tip");
    tip.hidden = edge < 0;
    if (edge !== this.hovered) {
      this.hovered = edge;
      this.surface.mark(edge >= 0 ? edge : this.selected);
      if (edge >= 0) tip.replaceChildren(make("strong", { textContent: this.network.ids[edge] }), make("span", { textContent: this.#figure(edge) }), make("span", { textContent: text(this.volume[edge], "veh/h") }));
    }
    if (edge < 0) return;
    const { clientWidth, clientHeight } = this.part("canvas");
    tip.style.left = `${Math.max(4, Math.min(x + 14, clientWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 14, clientHeight - tip.offsetHeight - 4))}px`;
  }

  #listen() {
    for (const name of ["metric", "per", "cell", "minus"]) this.part(name)?.addEventListener("change", () => this.show());
    this.part("percent").addEventListener("change", () => this.draw());
    this.part("interval").addEventListener("input", () => this.#at(Number(this.part("interval").value)));
    this.part("play").addEventListener("click", () => this.#play(!this.#timer));
    this.part("in").addEventListener("click", () => this.surface.zoom(1.6));
    this.part("out").addEventListener("click", () => this.surface.zoom(1 / 1.6));
    this.part("fit").addEventListener("click", () => this.surface.fit());
    this.part("search").addEventListener("submit", (event) => {
      event.preventDefault();
      const edge = this.network.find(this.part("id").value.trim());
      this.say(edge < 0 ? "There is no such edge." : "");
      if (edge >= 0) this.go(edge);
    });
    const redraw = () => this.draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  // 0 is all the time, 1 the first interval.
  #at(place) {
    this.part("interval").value = place;
    this.interval = place === 0 ? null : place - 1;
    return this.show();
  }

  #play(on) {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.part("play").textContent = on ? "Pause" : "Play";
    if (!on) return;
    const next = async () => {
      if (!this.box.isConnected) return;
      await this.#at((Number(this.part("interval").value) % this.intervals.length) + 1);
      if (this.#timer) this.#timer = setTimeout(next, PLAY_MS);
    };
    this.#timer = setTimeout(next, 0);
  }

  say(words) {
    this.part("said").textContent = words;
  }

  #fail(error) {
    if (!(error instanceof Trouble)) throw error;
    this.say(error.message);
  }
}

async function mount() {
  for (const box of document.querySelectorAll("[data-map]:not([data-mounted])")) {
    box.dataset.mounted = "";
    const map = new TrafficMap(box);
    try {
      await map.open();
      onChoice(() => map.draw());
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      map.say(error.message);
    }
  }
}
document.addEventListener("htmx:afterSwap", mount);
mount();

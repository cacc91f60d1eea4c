// Charts: numbers come from [data-source] as JSON, already thinned; here they become pictures, tables and files.
import { AXES, KINDS, shown } from "./kinds.js";
import { onChoice } from "./moments.js";
import { plotOf, resize, whole } from "./plot.js";
import { saveCsv, savePng } from "./take.js";

const ROWS = 60; // of the table beneath a chart; the CSV has all

// What a screen reader hears instead of the picture: the newest values and the highest.
function describe(box, kind, data) {
  box.dataset.title ||= box.getAttribute("aria-label");
  const parts = kind.lines.map(({ label, key }) => {
    const values = data[key].filter((value) => value != null);
    if (kind.bars || kind.stacked) return `${label}: ${shown(values.reduce((sum, value) => sum + value, 0))} in all`;
    if (!values.length) return `${label}: not measured`;
    return `${label}: ${shown(values.at(-1))} in the last sample, at most ${shown(Math.max(...values))}`;
  });
  const away = (who) => (kind.axis === "utc" && !kind.stacked ? data.away ?? [] : []).filter((each) => each[2] === who).length;
  for (const who of ["reconciler", "cluster"]) if (away(who)) parts.push(`the ${who} was away ${away(who)} times`);
  box.setAttribute("aria-label", `${box.dataset.title}. ${parts.join(". ")}.`);
}

const titleOf = (box) => box.closest("figure").querySelector("figcaption").textContent.trim();
const headOf = (kind, first) => [first, ...kind.lines.map(({ label }) => (label.toLowerCase() === kind.unit ? label : `${label}, ${kind.unit}`))];
const rowsOf = (kind, data, first) => data[kind.x || "x"].map((at, place) => [first(at), ...kind.lines.map(({ key }) => data[key][place])]);

function fillTable(box) {
  const { kind, data } = box.shown;
  const x = AXES[kind.axis];
  const all = rowsOf(kind, data, x.long);
  const every = Math.max(1, Math.ceil(all.length / ROWS));
  const row = (texts, name) => {
    const node = document.createElement("tr");
    node.append(...texts.map((text) => Object.assign(document.createElement(name), { textContent: text })));
    return node;
  };
  const table = box.closest("figure").querySelector(".chart-table table");
  const head = document.createElement("thead");
  const body = document.createElement("tbody");
  head.append(row(headOf(kind, x.head ?? x.title?.() ?? x.column), "th"));
  head.querySelectorAll("th").forEach((cell) => { cell.scope = "col"; });
  body.append(...all.filter((_, place) => place % every === 0).map((values) => row(values.map((value) => (typeof value === "string" ? value : shown(value))), "td")));
  table.replaceChildren(head, body);
}

function saveFigures(title, { kind, data }) {
  const { column, file } = AXES[kind.axis];
  saveCsv(title, [headOf(kind, column), ...rowsOf(kind, data, file)]);
}

function savePicture(box) {
  const { kind, plot } = box.shown;
  const { canvas } = plot.ctx;
  const legend = kind.lines.map(({ label, series }) => ({ text: label, colour: getComputedStyle(document.documentElement).getPropertyValue(`--sk-series-${series}`).trim() }));
  savePng(titleOf(box), legend, canvas, canvas.clientWidth, canvas.clientHeight);
}

// What stands under a chart: ways to take it along, and its numbers for those who do not see it.
function tools(box) {
  const figure = box.closest("figure");
  if (figure.querySelector(".chart-save")) return;
  const title = titleOf(box);
  const button = (text, name, act) => {
    const node = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    node.setAttribute("aria-label", name);
    node.addEventListener("click", act);
    return node;
  };
  const line = Object.assign(document.createElement("p"), { className: "chart-save" });
  line.append(
    button("CSV", `${title} as CSV`, () => saveFigures(title, box.shown)),
    " ",
    button("PNG", `${title} as PNG`, () => savePicture(box)),
  );
  const table = Object.assign(document.createElement("details"), { className: "chart-table" });
  const place = Object.assign(document.createElement("div"), { className: "scroll", tabIndex: 0, role: "region", ariaLabel: title });
  place.append(document.createElement("table"));
  table.append(Object.assign(document.createElement("summary"), { textContent: "As a table" }), place);
  table.addEventListener("toggle", () => table.open && fillTable(box));
  figure.append(line, table);
}

function draw(box, data) {
  const kind = KINDS[box.dataset.chart];
  box.shown?.plot.destroy();
  box.shown = null;
  box.replaceChildren();
  if (!data[kind.x || "x"].length) {
    box.append(Object.assign(document.createElement("p"), { className: "nothing", textContent: "No data yet." }));
    return;
  }
  describe(box, kind, data);
  box.shown = { kind, data, plot: plotOf(box, kind, data) };
  tools(box);
  if (box.closest("figure").querySelector(".chart-table").open) fillTable(box);
}

const boxes = (source) => [...source.querySelectorAll("[data-chart]")];
const everyBox = () => [...document.querySelectorAll("[data-chart]")].filter((box) => box.shown);
async function load(source) {
  if (document.hidden && source.data) return;
  let text;
  try {
    const answer = await fetch(source.dataset.source, { headers: { Accept: "application/json" } });
    if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) return;
    text = await answer.text();
  } catch {
    return; // no network: the next round tries again
  }
  if (text === source.text) return;
  source.text = text;
  source.data = JSON.parse(text);
  boxes(source).forEach((box) => draw(box, source.data));
}

const redraw = () => everyBox().forEach((box) => draw(box, box.shown.data));
const widths = new ResizeObserver((entries) => entries.forEach(({ target, contentRect }) => {
  const plot = target.shown?.plot;
  if (plot && Math.abs(plot.width - contentRect.width) > 1) resize(plot, contentRect.width);
}));
function mount() {
  document.querySelectorAll("[data-source]").forEach((source) => {
    if (source.mounted) return;
    source.mounted = true;
    boxes(source).forEach((box) => widths.observe(box));
    load(source);
    const every = Number(source.dataset.every);
    if (every) setInterval(() => load(source), every * 1000);
  });
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
onChoice(redraw);
document.addEventListener("keydown", ({ key }) => { if (key === "Escape") everyBox().forEach((box) => whole(box.shown.plot)); });
document.addEventListener("htmx:afterSwap", mount);
mount();

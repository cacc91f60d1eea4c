// What the colours mean, with units, and the worst edges as a table for those who do not see the map.
import { text } from "./scale.js";

export const make = (name, properties = {}, children = []) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};

// What a difference is of, and what may be said of it.
function sentence({ label, unit, minus, better, tested, pairs, percent, shown, edges }) {
  if (!minus) return `${label}, in ${unit}. Wider: more vehicles.`;
  const what = `Difference to “${minus}”, in ${percent ? "per cent of it" : unit}.`;
  const good = better === 0 ? "Blue: less, orange: more." : "Blue: better, orange: worse.";
  const sure = tested ? `Significant over ${pairs} paired seeds at a false discovery rate of 5 %.` : "Not tested: one interval, too few seeds, or cells that are not compared.";
  const found = tested ? `On ${shown} of ${edges} edges the difference is significant${shown ? "" : "; choose “nothing” beside “against” to see the cell's own figures"}.` : "";
  return `${found} ${what} ${good} ${sure} Wider: more vehicles.`.trim();
}

export function showLegend(box, scale, told) {
  const { minus, tested, percent, signals } = told;
  const shown = (value) => (percent ? `${Math.round(value * 100)} %` : text(value));
  const { limits, colours } = scale;
  const items = colours.map((colour, place) => {
    const swatch = make("span", { className: "map-swatch" });
    swatch.style.backgroundColor = colour;
    const words = place === 0 ? `below ${shown(limits[0])}`
      : place === limits.length ? `${shown(limits.at(-1))} and more`
        : `${shown(limits[place - 1])} to ${shown(limits[place])}`;
    return make("li", {}, [swatch, words]);
  });
  const grey = make("span", { className: "map-swatch" });
  grey.style.backgroundColor = scale.none;
  items.push(make("li", {}, [grey, minus ? (tested ? "no significant difference" : "no figure on both sides") : "no vehicles"]));
  if (signals) items.push(make("li", {}, [make("span", { className: "map-signal" }), "traffic signal, seen from near"]));
  box.replaceChildren(make("p", { className: "sub", textContent: sentence(told) }), make("ul", {}, items));
}

const ROWS = 20;

// `columns`: [{label, unit, values}], the first decides; `worst` 1: the highest first, -1: the lowest, 0: the largest either way.
export function showTable(box, ids, columns, worst, go) {
  const [{ values }] = columns;
  const weight = (edge) => (worst === 0 ? Math.abs(values[edge]) : worst * values[edge]);
  const edges = [];
  for (let edge = 0; edge < values.length; edge++) if (values[edge] != null) edges.push(edge);
  edges.sort((a, b) => weight(b) - weight(a) || a - b);
  const head = make("tr", {}, [make("th", { scope: "col", textContent: "Edge" }), ...columns.map(({ label, unit }) => make("th", { scope: "col", className: "num", textContent: unit ? `${label} (${unit})` : label }))]);
  const rows = edges.slice(0, ROWS).map((edge) => make("tr", {}, [
    make("td", {}, [make("button", { type: "button", className: "map-link mono", textContent: ids[edge], onclick: () => go(edge) })]),
    ...columns.map((column) => make("td", { className: "num", textContent: text(column.values[edge]) })),
  ]));
  if (!rows.length) rows.push(make("tr", {}, [make("td", { className: "none", colSpan: columns.length + 1, textContent: "No figures here." })]));
  box.replaceChildren(make("table", {}, [make("thead", {}, [head]), make("tbody", {}, rows)]));
}

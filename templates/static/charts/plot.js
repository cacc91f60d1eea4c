// One chart that is drawn here: lines or bars, a tip at the pointer, marks, zoom by dragging.
import { AXES, NICE, shown } from "./kinds.js";

const HEIGHT = 200;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// Bars of one stack are drawn on top of each other: the sum of all first, then without the last, and so on.
const stack = (columns) => columns.map((_, first) => columns[0].map((_, at) => columns.slice(0, first + 1).reduce((sum, column) => sum + column[at], 0)));
const make = (name, className, text = "") => Object.assign(document.createElement(name), { className, textContent: text });

// The tip tells what every line is under the pointer; the other charts of the page tell it in their legends.
function tip(kind, data, x) {
  let node;
  const fill = (at) => {
    const from = x.text(data[kind.x || "x"][at]);
    const head = kind.bars ? `${from} to ${x.text(data.x[at] + data.bin_s)}` : from;
    node.replaceChildren(make("strong", "", head), ...kind.lines.map(({ label, key, series }) => {
      const row = make("span", `chart-tip-row chart-s${series}`);
      row.append(make("span", "chart-key key-line"), `${label} ${shown(data[key][at])}`);
      return row;
    }));
  };
  return {
    hooks: {
      init: (plot) => { plot.over.append(node = make("div", "chart-tip")); node.hidden = true; },
      setCursor: (plot) => {
        const { left, top, idx } = plot.cursor;
        node.hidden = left < 0 || idx == null || !plot.over.matches(":hover");
        if (node.hidden) return;
        fill(idx);
        const turned = left > plot.over.clientWidth / 2;
        node.style.left = turned ? "" : `${left + 14}px`;
        node.style.right = turned ? `${plot.over.clientWidth - left + 14}px` : "";
        node.style.top = `${Math.max(0, Math.min(top, plot.over.clientHeight - node.offsetHeight))}px`;
      },
    },
  };
}

// `marks`: [{ at, label, axis: "x" or "y" }], lines that values are read against.
function markers(marks) {
  const draw = (plot) => {
    const { ctx, bbox } = plot;
    const dense = devicePixelRatio || 1;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--sk-text-2");
    ctx.lineWidth = dense;
    ctx.setLineDash([4 * dense, 3 * dense]);
    ctx.font = `${10 * dense}px ${getComputedStyle(document.body).fontFamily}`;
    marks.forEach(({ at, label, axis }, number) => {
      const place = plot.valToPos(at, axis, true);
      const [low, size] = axis === "x" ? [bbox.left, bbox.width] : [bbox.top, bbox.height];
      if (!(place >= low && place <= low + size)) return;
      ctx.beginPath();
      if (axis === "x") { ctx.moveTo(place, bbox.top); ctx.lineTo(place, bbox.top + bbox.height); }
      else { ctx.moveTo(bbox.left, place); ctx.lineTo(bbox.left + bbox.width, place); }
      ctx.stroke();
      ctx.textAlign = axis === "x" && place < bbox.left + bbox.width * 0.75 ? "left" : "right";
      const [x, y] = axis === "x" ? [place + (ctx.textAlign === "left" ? 4 : -4) * dense, bbox.top + (11 + 13 * number) * dense] : [bbox.left + bbox.width - 4 * dense, place - 4 * dense];
      // bars and the other line must not run through the words
      const wide = ctx.measureText(label).width;
      ctx.fillStyle = colour("--sk-surface");
      ctx.fillRect((ctx.textAlign === "left" ? x : x - wide) - dense, y - 10 * dense, wide + 2 * dense, 13 * dense);
      ctx.fillStyle = colour("--sk-text-2");
      ctx.fillText(label, x, y);
    });
    ctx.restore();
  };
  return { hooks: { draw } };
}

// `away`: [[from, to, who]], when nobody looked: a band under the lines, and who it was.
function bands(away) {
  const drawClear = (plot) => {
    const { ctx, bbox } = plot;
    const dense = devicePixelRatio || 1;
    ctx.save();
    ctx.font = `${11 * dense}px ${getComputedStyle(document.body).fontFamily}`;
    for (const [from, to, who] of away) {
      const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
      if (right <= left) continue;
      const kind = who === "cluster" ? "--sk-warn" : "--sk-bad";
      ctx.fillStyle = colour(`${kind}-bg`);
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
      const text = `${who} away`;
      if (ctx.measureText(text).width + 8 > right - left) continue;
      ctx.fillStyle = colour(kind);
      ctx.fillText(text, left + 4, bbox.top + 14 * dense);
    }
    ctx.restore();
  };
  return { hooks: { drawClear } };
}

function options(kind, data, width, marks) {
  const { lines, stacked, bars } = kind, ofDays = kind.axis === "day";
  const x = AXES[kind.axis];
  const isTime = kind.axis === "utc";
  const drawn = stacked ? [...lines].reverse() : lines;
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("--sk-text-2"), grid: { stroke: colour("--sk-grid"), width: 1 }, ticks: { show: false }, font, labelFont: font, labelSize: 16, labelGap: 2 };
  const paths = stacked || bars ? uPlot.paths.bars({ size: [0.82, 40], align: ofDays ? 0 : 1 }) : undefined;
  const xs = data[kind.x || "x"];
  const all = isTime && data.range ? data.range : ofDays ? [xs[0] - 0.5, xs.at(-1) + 0.5] : [Math.min(0, xs[0]), xs.at(-1) + (bars ? data.bin_s || 0 : 0) || 1];
  const most = Math.max(0, ...marks.filter((mark) => mark.axis === "y").map((mark) => mark.at));
  return {
    width, height: HEIGHT, legend: { live: true }, plugins: [tip(kind, data, x), markers(marks), ...(isTime && !stacked ? [bands(data.away ?? [])] : [])],
    cursor: { y: false, drag: { x: true, y: false }, sync: kind.axis === "lasting" ? undefined : { key: kind.axis, setSeries: false } },
    scales: {
      // The whole, unless a part was drawn over.
      x: { time: isTime, range: (_, low, high) => (low > xs[0] || high < xs.at(-1) ? [low, high] : all) },
      y: { range: (_, low, high) => [0, Math.max(high ?? 0, most, 1) * 1.08] },
    },
    axes: [
      { ...axis, size: 26, space: 64, incrs: isTime ? undefined : NICE, label: x.title?.() ?? x.name, values: (_, ticks) => ticks.map(x.text) },
      { ...axis, size: 44, space: 26, label: kind.unit, values: (_, ticks) => ticks.map((value) => (Number.isInteger(value) || !kind.whole ? shown(value) : "")) },
    ],
    series: [
      { label: x.name, value: (_, at) => (at == null ? x.end : x.text(at)) },
      ...drawn.map(({ label, key, series, fill, dash }) => {
        const stroke = colour(`--sk-series-${series}`);
        return {
          label, stroke, dash, paths, width: stacked || bars ? 0 : 1.75, points: { show: false },
          fill: stacked || bars ? stroke : fill ? `color-mix(in srgb, ${stroke} 18%, transparent)` : undefined,
          value: (_, __, ___, at) => shown(at == null ? (bars || stacked ? null : data[key].findLast((each) => each != null)) : data[key][at]),
        };
      }),
    ],
  };
}

export function plotOf(box, kind, data) {
  const ys = kind.lines.map(({ key }) => data[key]);
  const columns = [data[kind.x || "x"], ...(kind.stacked ? stack(ys).reverse() : ys)];
  const marks = (data.marks || []).filter((mark) => mark.chart === box.dataset.chart);
  const plot = new uPlot(options(kind, data, box.clientWidth, marks), columns, box);
  // The legend repeats what aria-label says, and its rows are no headings of a table.
  plot.root.querySelector(".u-legend")?.setAttribute("aria-hidden", "true");
  return plot;
}

export const whole = (plot) => plot.setData(plot.data, true);
export const resize = (plot, width) => plot.setSize({ width, height: HEIGHT });

// One edge: its figures, and one of them over the intervals.
import { simulated } from "../charts/moments.js";
import { make } from "./legend.js";
import { text } from "./scale.js";

const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [360, 110, 34, 18];

const draw = (name, attributes, words) => {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (words !== undefined) node.textContent = words;
  return node;
};

// Steps, not a slope: a figure is its interval's. Where there is none is a gap. The second of `lines` is dashed.
export function curveOf(lines, intervals, { label, unit, now }) {
  const known = lines.flatMap(({ values }) => values).filter((value) => value != null);
  const most = Math.max(...known, 0) || 1;
  const [begin, end] = [intervals[0][0], intervals.at(-1)[1]];
  const x = (at) => LEFT + ((at - begin) / (end - begin)) * (WIDTH - LEFT - 4);
  const y = (value) => 6 + (1 - value / most) * (HEIGHT - BOTTOM - 6);
  const pathOf = (values) => {
    let open = false;
    return values.slice(0, intervals.length).map((value, place) => {
      const pen = open ? "L" : "M";
      open = value != null;
      return open ? `${pen}${x(intervals[place][0])} ${y(value)}H${x(intervals[place][1])}` : "";
    }).join("");
  };
  const range = known.length ? `from ${text(Math.min(...known))} to ${text(Math.max(...known), unit)}` : "none";
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${label}: ${range}`, class: "map-curve" });
  if (now !== null) svg.append(draw("rect", { x: x(intervals[now][0]), y: 4, width: Math.max(2, x(intervals[now][1]) - x(intervals[now][0])), height: HEIGHT - BOTTOM - 4, class: "map-now" }));
  svg.append(draw("path", { d: `M${LEFT} 6V${HEIGHT - BOTTOM}H${WIDTH - 4}`, class: "map-axis" }));
  lines.forEach(({ values }, place) => svg.append(draw("path", { d: pathOf(values), class: place ? "map-line map-other" : "map-line" })));
  svg.append(
    draw("text", { x: LEFT - 4, y: 12, "text-anchor": "end" }, text(most)),
    draw("text", { x: LEFT - 4, y: HEIGHT - BOTTOM, "text-anchor": "end" }, "0"),
    draw("text", { x: LEFT, y: HEIGHT - 4 }, simulated(begin)),
    draw("text", { x: WIDTH - 4, y: HEIGHT - 4, "text-anchor": "end" }, simulated(end)),
  );
  const named = lines.length > 1 ? `: ${lines[0].name}; dashed: ${lines[1].name}` : "";
  return make("figure", { className: "map-over" }, [make("figcaption", { textContent: `${label}${unit ? ` (${unit})` : ""}${named}` }), svg]);
}

export function facts(pairs) {
  return make("dl", { className: "facts" }, pairs.map(([name, value]) => make("div", {}, [make("dt", { textContent: name }), make("dd", { textContent: value })])));
}

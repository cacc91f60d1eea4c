// Charts that were drawn on the server: numbers and picture to take along, values under the pointer at once.
import { saveCsv, savePng } from "./take.js";

const ATTRIBUTES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "font-family", "font-size", "font-weight", "vector-effect", "display", "overflow"];
const MARGIN = { left: 70, right: 24, bottom: 16 };

const titleOf = (figure) => figure.querySelector("figcaption").textContent.trim();
const asCsv = (figure) => saveCsv(titleOf(figure), [...figure.querySelectorAll("table tr")].map((row) => [...row.children].map((each) => each.textContent.trim())));

// An image knows no style sheet: what applies is written into a copy.
const styled = (original) => {
  const copy = original.cloneNode(true);
  const pairs = [[original, copy]];
  original.querySelectorAll("*").forEach((node, at) => pairs.push([node, copy.querySelectorAll("*")[at]]));
  for (const [from, to] of pairs) {
    const style = getComputedStyle(from);
    for (const name of ATTRIBUTES) to.setAttribute(name, style.getPropertyValue(name));
    to.removeAttribute("class");
  }
  return copy;
};
const asPng = async (figure) => {
  const svg = figure.querySelector(".chart-svg");
  const { width, height } = svg.getBoundingClientRect();
  const copy = styled(svg);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", width);
  const frame = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  frame.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const size = [width + MARGIN.left + MARGIN.right, height + MARGIN.bottom];
  frame.setAttribute("width", size[0]);
  frame.setAttribute("height", size[1]);
  copy.setAttribute("x", MARGIN.left);
  copy.setAttribute("overflow", "visible");
  frame.append(copy);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(frame))}`;
  await image.decode();
  const legend = [...figure.querySelectorAll(".chart-legend li")].map((entry) => ({ text: entry.textContent.trim(), colour: getComputedStyle(entry.querySelector(".chart-key")).backgroundColor }));
  savePng(titleOf(figure), legend, image, ...size);
};

// One listener for all, also for charts that come later.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-chart-save]");
  const figure = button?.closest(".chart-figure");
  if (figure) (button.dataset.chartSave === "csv" ? asCsv : asPng)(figure);
});
const offer = (root) => root.querySelectorAll(".chart-save[hidden]").forEach((part) => { part.hidden = false; });
offer(document);
document.addEventListener("htmx:afterSwap", () => offer(document));

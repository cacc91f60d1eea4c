// Charts that were drawn on the server: numbers and picture to take along, values under the pointer at once.
import { simulated } from "./moments.js";
import { saveCsv, savePng } from "./take.js";
import { listen } from "./zoom.js";

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

// What the lines are under the pointer, at once; the other charts of the page mark the same place.
const tip = Object.assign(document.createElement("div"), { className: "chart-tip", hidden: true });
let marked = [];
const told = (slot) => {
  const title = slot.querySelector("title");
  if (title) {
    slot.dataset.told = title.textContent;
    title.remove(); // else the browser tells it a second time
  }
  return slot.dataset.told ?? "";
};
const unitOf = (figure) => figure.querySelector("table th")?.textContent;
const alike = (figure) => [...document.querySelectorAll(".chart-figure")].filter((each) => unitOf(each) === unitOf(figure));
const placeOf = (slot) => (slot.dataset.moment ? simulated(Number(slot.dataset.moment)) : told(slot).split(": ")[0]);
listen(alike, placeOf);
const leave = () => {
  tip.hidden = true;
  marked.forEach((slot) => slot.classList.remove("chart-slot-on"));
  marked = [];
};
document.addEventListener("pointerup", leave); // what was drawn over has another place by now
document.addEventListener("pointermove", ({ target, clientX, clientY }) => {
  const slot = target.closest?.(".chart-slot");
  if (!slot) {
    if (!tip.hidden) leave();
    return;
  }
  const figure = slot.closest(".chart-figure");
  const [at, ...rest] = told(slot).split(": ");
  if (!marked.includes(slot)) {
    leave();
    marked = alike(figure).flatMap((each) => [...each.querySelectorAll(".chart-slot")].find((other) => told(other).startsWith(`${at}: `)) ?? []);
    marked.forEach((each) => each.classList.add("chart-slot-on"));
    tip.replaceChildren(Object.assign(document.createElement("strong"), { textContent: placeOf(slot) }), ...rest.join(": ").split("; ").map((text) => Object.assign(document.createElement("span"), { textContent: text })));
    figure.append(tip);
  }
  tip.hidden = false;
  const box = figure.getBoundingClientRect();
  const turned = clientX - box.left > box.width / 2;
  tip.style.left = turned ? "" : `${clientX - box.left + 14}px`;
  tip.style.right = turned ? `${box.right - clientX + 14}px` : "";
  tip.style.top = `${clientY - box.top}px`;
});

// One listener for all, also for charts that come later.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-chart-save]");
  const figure = button?.closest(".chart-figure");
  if (figure) (button.dataset.chartSave === "csv" ? asCsv : asPng)(figure);
});
const offer = (root) => root.querySelectorAll(".chart-save[hidden]").forEach((part) => { part.hidden = false; });
offer(document);
document.addEventListener("htmx:afterSwap", () => offer(document));

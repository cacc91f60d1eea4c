// Server-drawn curves: a part that was drawn over with the mouse is seen nearer, in all charts of the same axis.
const SPACE = "http://www.w3.org/2000/svg";
const LEAST = 2; // per cent of the width that a drag has to cover
const LABELS = 4;
const views = new Map(); // figure → [from, to], per cent of the whole
let drag = null;

const number = (node, name) => parseFloat(node.getAttribute(name));
const viewOf = (figure) => views.get(figure) ?? [0, 100];
const shapes = (svg) => [...svg.querySelectorAll(".chart-slot")];
const isOfX = (node) => node.getAttribute("x")?.endsWith("%") || (node.getAttribute("x1") ?? "") === node.getAttribute("x2");
const make = (name, attributes) => {
  const node = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

function show(figure, from, to, textOf) {
  const svg = figure.querySelector(".chart-svg");
  const isWhole = from <= 0 && to >= 100;
  if (isWhole) views.delete(figure);
  else views.set(figure, [from, to]);
  const place = (value) => ((value - from) / (to - from)) * 100;
  svg.classList.toggle("chart-zoomed", !isWhole);
  svg.querySelectorAll(".chart-plane").forEach((plane) => plane.setAttribute("viewBox", `${from * 10} 0 ${(to - from) * 10} 1000`));
  svg.querySelectorAll(".chart-zoom-tick").forEach((node) => node.remove());
  const axis = [...svg.querySelectorAll(".chart-grid, .chart-tick")].filter(isOfX);
  axis.forEach((node) => node.classList.toggle("chart-away", !isWhole));
  const inside = [];
  for (const slot of shapes(svg)) {
    slot.dataset.place ??= `${number(slot, "x")} ${number(slot, "width")}`;
    const [x, width] = slot.dataset.place.split(" ").map(Number);
    const [left, right] = [Math.max(0, place(x)), Math.min(100, place(x + width))];
    slot.classList.toggle("chart-away", right <= left);
    slot.setAttribute("x", `${left}%`);
    slot.setAttribute("width", `${Math.max(0, right - left)}%`);
    if (right > left) inside.push([slot, (left + right) / 2]);
  }
  if (isWhole) return;
  const every = Math.max(1, Math.ceil(inside.length / LABELS));
  const y = axis.find((node) => node.tagName === "text")?.getAttribute("y");
  inside.filter((_, at) => at % every === Math.floor(every / 2)).forEach(([slot, middle]) => {
    const text = make("text", { x: `${middle}%`, y, "text-anchor": "middle", class: "chart-tick chart-zoom-tick" });
    text.textContent = textOf(slot);
    if (slot.dataset.moment) text.dataset.moment = slot.dataset.moment;
    svg.append(text);
  });
}

// `alike`: the figures of a figure's axis; `textOf`: what stands at a slot's place.
export function listen(alike, textOf) {
  const at = (svg, x) => {
    const box = svg.getBoundingClientRect();
    return Math.min(100, Math.max(0, ((x - box.left) / box.width) * 100));
  };
  document.addEventListener("pointerdown", (event) => {
    const slot = event.target.closest?.(".chart-slot");
    if (!slot || event.button !== 0 || event.pointerType !== "mouse") return;
    event.preventDefault(); // no text is being selected
    const svg = slot.closest(".chart-svg");
    const box = make("rect", { x: "0%", width: "0%", y: slot.getAttribute("y"), height: slot.getAttribute("height"), class: "chart-select" });
    svg.append(box);
    drag = { svg, box, from: at(svg, event.clientX) };
  });
  document.addEventListener("pointermove", ({ clientX }) => {
    if (!drag) return;
    const to = at(drag.svg, clientX);
    drag.box.setAttribute("x", `${Math.min(drag.from, to)}%`);
    drag.box.setAttribute("width", `${Math.abs(to - drag.from)}%`);
  });
  document.addEventListener("pointerup", ({ clientX }) => {
    if (!drag) return;
    const { svg, box, from } = drag;
    drag = null;
    box.remove();
    const figure = svg.closest(".chart-figure");
    const [low, high] = [from, at(svg, clientX)].sort((a, b) => a - b);
    if (high - low < LEAST) return;
    const [begin, end] = viewOf(figure);
    const part = (share) => begin + (share / 100) * (end - begin);
    alike(figure).forEach((each) => show(each, part(low), part(high), textOf));
  });
  const reset = () => [...views.keys()].forEach((figure) => show(figure, 0, 100, textOf));
  document.addEventListener("dblclick", ({ target }) => { if (target.closest?.(".chart-svg")) reset(); });
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape") reset(); });
}

// Simulated time as people read it: h:mm, or seconds for those who want that. This browser keeps the choice.
const KEY = "sumok8-simulated-time";
const listeners = [];
let inSeconds = false;
try {
  inSeconds = localStorage.getItem(KEY) === "s";
} catch { /* a browser may keep nothing */ }

const plain = (seconds) => seconds.toLocaleString("en", { maximumFractionDigits: 1 });

export const clock = (seconds) => {
  const whole = Math.round(seconds);
  const rest = whole % 60 ? `:${String(whole % 60).padStart(2, "0")}` : "";
  return `${Math.floor(whole / 3600)}:${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}${rest}`;
};
export const simulated = (seconds) => (inSeconds ? plain(seconds) : clock(seconds));
export const simulatedUnit = () => (inSeconds ? "s" : "h:mm");
export const onChoice = (listener) => listeners.push(listener);

const write = (part, text) => { if (part.textContent !== text) part.textContent = text; };
// What stands for itself, and what stands at an axis whose unit is told apart (a strip under the pointer has no text).
const rewrite = (root) => {
  root.querySelectorAll("[data-simulated]").forEach((part) => {
    const seconds = Number(part.dataset.simulated);
    write(part, inSeconds ? `${plain(seconds)} s` : clock(seconds));
  });
  root.querySelectorAll("[data-moment]:not(rect)").forEach((part) => write(part, simulated(Number(part.dataset.moment))));
  root.querySelectorAll("[data-moment-unit]").forEach((part) => write(part, `simulated time, ${simulatedUnit()}`));
};
const choose = (wanted) => {
  inSeconds = wanted;
  try {
    localStorage.setItem(KEY, wanted ? "s" : "h");
  } catch { /* then for this page alone */ }
  document.querySelectorAll("[data-time-choice]").forEach((each) => { each.value = wanted ? "s" : "h"; });
  rewrite(document);
  listeners.forEach((listener) => listener());
};
const offer = () => {
  document.querySelectorAll("[data-time-choice]").forEach((each) => {
    each.value = inSeconds ? "s" : "h";
    each.closest("label").hidden = false;
  });
  if (inSeconds) rewrite(document);
};
document.addEventListener("change", ({ target }) => { if ("timeChoice" in target.dataset) choose(target.value === "s"); });
document.addEventListener("htmx:afterSwap", offer);
offer();

// Fixed scales: the same colour means the same everywhere, so that two maps may be compared. Light to dark (on a dark
// page dark to light) in order of how bad it is, which any kind of colour vision can tell; differences from blue (better) to orange (worse).

const AGAINST = [0.05, 0.15, 0.3];
const CLASSES = {
  speed_ratio: [20, 35, 50, 65, 80, 95],
  speed: [10, 20, 30, 40, 50, 80],
  density: [5, 10, 20, 35, 60, 100],
  volume: [50, 150, 300, 600, 1000, 1800],
  // what grows with time is for an hour
  time_loss: [0.1, 0.3, 1, 3, 10, 30],
  waiting: [0.1, 0.3, 1, 3, 10, 30],
  co2: [1, 3, 10, 30, 100, 300],
};
const PER_KM = 5; // a usual edge is 200 m
const DIFFERENCES = {
  speed_ratio: [2, 5, 15],
  speed: [1, 3, 10],
  density: [1, 3, 10],
  volume: [20, 60, 200],
  time_loss: [0.05, 0.2, 1],
  waiting: [0.05, 0.2, 1],
  co2: [0.5, 2, 10],
};
const BAD = {
  light: ["#f3c998", "#f2a576", "#e87d67", "#cf5770", "#a63c7c", "#742c7b", "#3f1a5c"],
  dark: ["#55407a", "#7d4690", "#a94f92", "#d35f84", "#ee7f6c", "#f7a873", "#fde2b3"],
};
const MUCH = {
  light: ["#bcd7dc", "#93c1c9", "#67a8b4", "#3e8d9c", "#1f7183", "#0f5567", "#083a49"],
  dark: ["#2a4d57", "#2f6674", "#378092", "#479bae", "#6ab5c4", "#98cfd8", "#cfeaee"],
};
const TWO = {
  light: ["#0b4f8a", "#3b83bd", "#8fbbe0", "#c3c9cf", "#f0b57e", "#d97a28", "#954406"],
  dark: ["#9ccbf5", "#5d9fd8", "#3a6f9f", "#6a7783", "#9a6235", "#dd8a43", "#ffc48a"],
};
const NONE = { light: "#ccd3d9", dark: "#465059" };
const HOURLY = new Set(["time_loss", "waiting", "co2"]);

const rounded = (value) => Number(value.toPrecision(2));

// `told` is the server's answer; `seconds` its interval's length, `percent` whether a difference is a share.
export function scaleOf(told, seconds, { difference = false, percent = false, dark = false } = {}) {
  const theme = dark ? "dark" : "light";
  const times = (HOURLY.has(told.metric) ? seconds / 3600 : 1) * (told.per_km ? PER_KM : 1);
  const none = NONE[theme];
  if (difference) {
    const steps = percent ? AGAINST : DIFFERENCES[told.metric].map((step) => rounded(step * times));
    const limits = [...steps.map((step) => -step).reverse(), ...steps];
    const colours = told.better > 0 ? [...TWO[theme]].reverse() : TWO[theme];
    return { limits, colours, none, order: [3, 2, 4, 1, 5, 0, 6] };
  }
  const limits = CLASSES[told.metric].map((step) => rounded(step * times));
  const ramp = told.better === 0 ? MUCH[theme] : BAD[theme];
  const colours = told.better > 0 ? [...ramp].reverse() : ramp;
  const places = colours.map((_, place) => place);
  return { limits, colours, none, order: told.better > 0 ? places.reverse() : places };
}

export function classOf(value, limits) {
  let place = 0;
  while (place < limits.length && value >= limits[place]) place++;
  return place;
}

// Wider where more drive, in four steps.
export const WIDTHS = [1, 1.7, 2.8, 4.2];
const VOLUMES = [100, 400, 1000]; // vehicles per hour
export const widthOf = (volume) => classOf(volume ?? 0, VOLUMES);

export const isDark = () => getComputedStyle(document.documentElement).colorScheme.includes("dark");

export function text(value, unit = "") {
  if (value == null) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const figure = value.toLocaleString("en", { maximumFractionDigits: digits });
  return unit ? `${figure} ${unit}` : figure;
}

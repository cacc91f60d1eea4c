// What each chart shows, and how its axes speak.
import { simulated, simulatedUnit } from "./moments.js";

const line = (label, key, series, more = {}) => ({ label, key, series, ...more });
export const KINDS = {
  jobs: { axis: "utc", unit: "jobs", whole: true, lines: [line("Running", "running", 1, { fill: true }), line("Queued", "queued", 2)] },
  cpu: { axis: "utc", unit: "CPU cores", whole: true, lines: [line("Requested", "cpu_requested", 1, { fill: true }), line("Allocatable", "cpu_allocatable", 6, { dash: [5, 4] })] },
  ended: { axis: "utc", unit: "jobs", whole: true, x: "ended_x", stacked: true, lines: [line("Succeeded", "succeeded", 4), line("Failed", "failed", 5), line("Cancelled", "cancelled", 6)] },
  vehicles: { axis: "simulated", unit: "vehicles", whole: true, lines: [line("Running", "running", 1, { fill: true }), line("Halting", "halting", 2)] },
  speed: { axis: "simulated", unit: "km/h", lines: [line("Mean speed", "mean_speed", 3)] },
  usage: { axis: "day", unit: "CPU-hours", stacked: true, lines: [line("Billed", "billed", 1), line("Not billed", "unbilled", 6)] },
  travel: { axis: "lasting", unit: "trips", whole: true, bars: true, lines: [line("Trips", "trips", 1)] },
};

const lasting = (seconds) => {
  if (seconds >= 7200) return `${+(seconds / 3600).toFixed(1)} h`;
  return seconds >= 120 ? `${+(seconds / 60).toFixed(1)} min` : `${seconds} s`;
};
const iso = (at) => new Date(at * 1000).toISOString();
// `text` at ticks and in tips, `long` in tables; files get `column` and the plain number or moment.
export const AXES = {
  utc: { name: "UTC", column: "UTC", text: (at) => iso(at).slice(11, 16), long: (at) => iso(at).slice(0, 19), file: iso, end: "now" },
  simulated: { name: "At", title: () => `simulated time, ${simulatedUnit()}`, column: "simulated time, s", text: simulated, long: simulated, file: Number, end: "the last sample" },
  day: { name: "Day", title: () => "day of the month", column: "day of the month", text: String, long: String, file: Number, end: "–" },
  lasting: { name: "From", title: () => "travel time", head: "travel time from", column: "travel time from, s", text: lasting, long: lasting, file: Number, end: "–" },
};
// Ticks of simulated time and of travel times fall on whole minutes and hours.
export const NICE = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];
export const shown = (value) => (value == null ? "–" : value.toLocaleString("en", { maximumFractionDigits: 1 }));

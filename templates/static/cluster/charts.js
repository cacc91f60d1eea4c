"use strict";
// Charts: numbers come from [data-source] as JSON, already thinned; here they only become lines and bars.
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const line = (label, key, series, more = {}) => ({ label, key, series, ...more });
  const KINDS = {
    jobs: { time: true, lines: [line("Running", "running", 1, { fill: true }), line("Queued", "queued", 2)] },
    cpu: { time: true, lines: [line("Requested", "cpu_requested", 1, { fill: true }), line("Allocatable", "cpu_allocatable", 6, { dash: [5, 4] })] },
    ended: { time: true, x: "ended_x", stacked: true, lines: [line("Succeeded", "succeeded", 4), line("Failed", "failed", 5), line("Cancelled", "cancelled", 6)] },
    vehicles: { lines: [line("Running", "running", 1, { fill: true }), line("Halting", "halting", 2)], unit: "vehicles" },
    speed: { lines: [line("Mean speed (m/s)", "mean_speed", 3)] },
    travel: { bars: true, lines: [line("Trips", "trips", 1)] },
  };
  const seconds = (value) => {
    if (value >= 7200) return `${+(value / 3600).toFixed(1)} h`;
    return value >= 120 ? `${+(value / 60).toFixed(1)} min` : `${value} s`;
  };
  // Ticks of simulated time and of travel times fall on whole minutes and hours.
  const NICE = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800];
  const shown = (value) => (value == null ? "–" : value.toLocaleString("en", { maximumFractionDigits: 1 }));

  // Bars of one stack are drawn on top of each other: the sum of all first, then without the last, and so on.
  const stack = (columns) => columns.map((_, first) => columns[0].map((_, at) => columns.slice(0, first + 1).reduce((sum, column) => sum + column[at], 0)));

  // Where nobody looked: a band under the lines, and who was away.
  function bands(data) {
    return (plot) => {
      const { ctx, bbox } = plot;
      ctx.save();
      ctx.font = `${11 * devicePixelRatio}px ${getComputedStyle(document.body).fontFamily}`;
      for (const [from, to, who] of data.away) {
        const left = Math.max(bbox.left, plot.valToPos(from, "x", true));
        const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
        if (right <= left) continue;
        ctx.fillStyle = colour(who === "cluster" ? "--sk-warn-bg" : "--sk-bad-bg");
        ctx.fillRect(left, bbox.top, right - left, bbox.height);
        const text = `${who} away`;
        if (ctx.measureText(text).width + 8 > right - left) continue;
        ctx.fillStyle = colour(who === "cluster" ? "--sk-warn" : "--sk-bad");
        ctx.fillText(text, left + 4, bbox.top + 14 * devicePixelRatio);
      }
      ctx.restore();
    };
  }

  function options(kind, data, width) {
    const { lines, time, stacked, bars } = kind;
    const drawn = stacked ? [...lines].reverse() : lines;
    const axis = { stroke: colour("--sk-text-2"), grid: { stroke: colour("--sk-grid"), width: 1 }, ticks: { show: false }, font: `11px ${getComputedStyle(document.body).fontFamily}` };
    const paths = stacked || bars ? uPlot.paths.bars({ size: [0.82, 40], align: 1 }) : undefined;
    return {
      width, height: 180, hooks: kind.time && !kind.stacked && data.away?.length ? { drawClear: [bands(data)] } : {}, cursor: { y: false, drag: { x: false, y: false } }, legend: { live: true },
      scales: {
        x: { time: Boolean(time), range: (_, low, high) => (time && data.range ? data.range : [low ?? 0, bars ? high + (data.bin_s || 0) : high ?? 1]) },
        y: { range: (_, low, high) => [0, Math.max(high ?? 0, 1) * 1.08] },
      },
      axes: [
        { ...axis, size: 30, space: 64, incrs: time ? undefined : NICE, ...(time ? { values: (_, ticks) => ticks.map((at) => new Date(at * 1000).toISOString().slice(11, 16)) } : { values: (_, ticks) => ticks.map(seconds) }) },
        { ...axis, size: 44, space: 26, values: (_, ticks) => ticks.map((value) => (Number.isInteger(value) || kind === KINDS.speed ? shown(value) : "")) },
      ],
      series: [
        { label: time ? "UTC" : bars ? "From" : "At", value: (_, at) => (at == null ? (bars || stacked ? "–" : time ? "now" : "the end") : time ? new Date(at * 1000).toISOString().slice(11, 16) : seconds(at)) },
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

  function columns(kind, data) {
    const ys = kind.lines.map(({ key }) => data[key]);
    return [data[kind.x || "x"], ...(kind.stacked ? stack(ys).reverse() : ys)];
  }

  // What a screen reader hears instead of the picture: the newest values and the highest.
  function describe(box, kind, data) {
    box.dataset.title ||= box.getAttribute("aria-label");
    const parts = kind.lines.map(({ label, key }) => {
      const values = data[key].filter((value) => value != null);
      if (kind.bars || kind.stacked) return `${label}: ${shown(values.reduce((sum, value) => sum + value, 0))} in all`;
      if (!values.length) return `${label}: not measured`;
      return `${label}: ${shown(values.at(-1))} at the end, at most ${shown(Math.max(...values))}`;
    });
    const away = (who) => data.away?.filter((each) => each[2] === who).length;
    for (const who of kind.time && !kind.stacked ? ["reconciler", "cluster"] : []) if (away(who)) parts.push(`the ${who} was away ${away(who)} times`);
    box.setAttribute("aria-label", `${box.dataset.title}. ${parts.join(". ")}.`);
  }

  function draw(box, data) {
    const kind = KINDS[box.dataset.chart];
    if (!data[kind.x || "x"].length) {
      box.plot?.destroy();
      box.plot = null;
      const note = document.createElement("p");
      note.className = "nothing";
      note.textContent = "No data yet.";
      box.replaceChildren(note);
      return;
    }
    describe(box, kind, data);
    box.plot?.destroy();
    box.replaceChildren();
    box.plot = new uPlot(options(kind, data, box.clientWidth), columns(kind, data), box);
    // The legend repeats what aria-label says, and its rows are no headings of a table.
    box.plot.root.querySelector(".u-legend")?.setAttribute("aria-hidden", "true");
  }

  const boxes = (source) => [...source.querySelectorAll("[data-chart]")];
  async function load(source) {
    if (document.hidden && source.data) return;
    try {
      const answer = await fetch(source.dataset.source, { headers: { Accept: "application/json" } });
      if (!answer.ok || !answer.headers.get("Content-Type").startsWith("application/json")) return;
      const text = await answer.text();
      if (text === source.text) return;
      source.text = text;
      source.data = JSON.parse(text);
      boxes(source).forEach((box) => draw(box, source.data));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // no network: the next round tries again
    }
  }

  const redraw = (source) => source.data && boxes(source).forEach((box) => draw(box, source.data));
  const widths = new ResizeObserver((entries) => entries.forEach(({ target, contentRect }) => {
    if (target.plot && Math.abs(target.plot.width - contentRect.width) > 1) target.plot.setSize({ width: contentRect.width, height: 180 });
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
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.querySelectorAll("[data-source]").forEach(redraw));
  document.addEventListener("htmx:afterSwap", mount);
  mount();
})();

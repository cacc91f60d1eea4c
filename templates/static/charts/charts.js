"use strict";
// Charts that were drawn on the server, to take along: their numbers as CSV, their picture as PNG.
(() => {
  const ATTRIBUTES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "font-family", "font-size", "font-weight", "vector-effect", "display", "overflow"];
  const MARGIN = { left: 70, top: 58, right: 24, bottom: 16 };

  const nameOf = (figure) => figure.querySelector("figcaption").textContent.trim().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 80);
  const save = (address, name) => {
    const link = document.createElement("a");
    link.href = address;
    link.download = name;
    link.click();
  };

  // A cell that begins like a formula is disarmed, as in the exports; a number with its sign is none.
  const cell = (text) => `"${text.replace(/^(?:[=@]|[+-](?![\d.,]+\b))/, "'$&").replaceAll('"', '""')}"`;
  const asCsv = (figure) => {
    const rows = [...figure.querySelectorAll("table tr")].map((row) => [...row.children].map((each) => cell(each.textContent.trim())).join(","));
    save(`data:text/csv;charset=utf-8,${encodeURIComponent(`${rows.join("\r\n")}\r\n`)}`, `${nameOf(figure)}.csv`);
  };

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
  const legend = (figure, paint, scale, page) => {
    let x = 12 * scale;
    paint.font = `${11 * scale}px ${page.getPropertyValue("--sk-font")}`;
    for (const entry of figure.querySelectorAll(".chart-legend li")) {
      const text = entry.textContent.trim();
      paint.fillStyle = getComputedStyle(entry.querySelector(".chart-key")).backgroundColor;
      paint.fillRect(x, 36 * scale, 12 * scale, 6 * scale);
      paint.fillStyle = page.getPropertyValue("--sk-text-2");
      paint.fillText(text, x + 17 * scale, 43 * scale);
      x += paint.measureText(text).width + 34 * scale;
    }
  };
  const asPng = async (figure) => {
    const svg = figure.querySelector(".chart-svg");
    const { width, height } = svg.getBoundingClientRect();
    const copy = styled(svg);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    const frame = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    frame.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    const size = [width + MARGIN.left + MARGIN.right, height + MARGIN.top + MARGIN.bottom];
    frame.setAttribute("width", size[0]);
    frame.setAttribute("height", size[1]);
    copy.setAttribute("x", MARGIN.left);
    copy.setAttribute("y", MARGIN.top);
    copy.setAttribute("overflow", "visible");
    frame.append(copy);
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(frame))}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    const scale = 2;
    [canvas.width, canvas.height] = size.map((side) => Math.round(side * scale));
    const paint = canvas.getContext("2d");
    const page = getComputedStyle(document.documentElement);
    paint.fillStyle = page.getPropertyValue("--sk-surface");
    paint.fillRect(0, 0, canvas.width, canvas.height);
    paint.drawImage(image, 0, 0, canvas.width, canvas.height);
    paint.fillStyle = page.getPropertyValue("--sk-text");
    paint.font = `600 ${14 * scale}px ${page.getPropertyValue("--sk-font")}`;
    paint.fillText(figure.querySelector("figcaption").textContent, 12 * scale, 24 * scale);
    legend(figure, paint, scale, page);
    save(canvas.toDataURL("image/png"), `${nameOf(figure)}.png`);
  };

  // One listener for all, also for charts that come later.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart-save]");
    const figure = button?.closest(".chart-figure");
    if (figure) (button.dataset.chartSave === "csv" ? asCsv : asPng)(figure);
  });
  const offer = (root) => root.querySelectorAll(".chart-save[hidden]").forEach((part) => { part.hidden = false; });
  offer(document);
  document.addEventListener("htmx:afterSettle", () => offer(document));
})();

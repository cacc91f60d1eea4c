// Charts to take along: numbers as CSV, a picture as PNG.
const SCALE = 2;
const [EDGE, TITLE, LEGEND, HEAD] = [12, 24, 43, 58];

const save = (address, name) => {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
};
const fileName = (title) => title.trim().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 80);
// A cell that begins like a formula is disarmed, as in the exports; a number with its sign is none.
const cell = (text) => `"${text.replace(/^(?:[=@]|[+-](?![\d.,]+\b))/, "'$&").replaceAll('"', '""')}"`;

export const saveCsv = (title, rows) => {
  const text = rows.map((row) => row.map((each) => (typeof each === "number" ? each : cell(each ?? ""))).join(",")).join("\r\n");
  save(`data:text/csv;charset=utf-8,${encodeURIComponent(`${text}\r\n`)}`, `${fileName(title)}.csv`);
};

// `image` of `width` × `height` pixels of the page, under the title and `legend`, a list of {text, colour}.
export const savePng = (title, legend, image, width, height) => {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * SCALE);
  canvas.height = Math.round((height + HEAD) * SCALE);
  const paint = canvas.getContext("2d");
  const page = getComputedStyle(document.documentElement);
  const font = page.getPropertyValue("--sk-font");
  paint.scale(SCALE, SCALE);
  paint.fillStyle = page.getPropertyValue("--sk-surface");
  paint.fillRect(0, 0, width, height + HEAD);
  paint.drawImage(image, 0, HEAD, width, height);
  paint.fillStyle = page.getPropertyValue("--sk-text");
  paint.font = `600 14px ${font}`;
  paint.fillText(title, EDGE, TITLE);
  paint.font = `11px ${font}`;
  let x = EDGE;
  for (const { text, colour } of legend) {
    paint.fillStyle = colour;
    paint.fillRect(x, LEGEND - 7, 12, 6);
    paint.fillStyle = page.getPropertyValue("--sk-text-2");
    paint.fillText(text, x + 17, LEGEND);
    x += paint.measureText(text).width + 34;
  }
  save(canvas.toDataURL("image/png"), `${fileName(title)}.png`);
};

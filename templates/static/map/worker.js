// Paints pictures of the map where nobody waits for them: the page only moves them along.
import { Painter } from "./painter.js";

const canvas = new OffscreenCanvas(1, 1);
const pen = canvas.getContext("2d", { alpha: false });
let painter = null;

function paint({ view, pixels, background, ...asked }) {
  const [width, height] = [Math.ceil(view.width * pixels), Math.ceil(view.height * pixels)];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  pen.setTransform(pixels, 0, 0, pixels, 0, 0);
  pen.fillStyle = background;
  pen.fillRect(0, 0, view.width, view.height);
  painter.paint(pen, view);
  const image = canvas.transferToImageBitmap();
  postMessage({ ...asked, view, image }, [image]);
}

// In the order that they were sent in: a network, how its edges look, views of them.
onmessage = ({ data: { network, look, picture } }) => {
  if (network) painter = new Painter(network);
  if (look) Object.assign(painter, look);
  if (picture) paint(picture);
};

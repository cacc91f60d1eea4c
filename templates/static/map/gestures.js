// How a surface follows pointer, wheel, fingers and keys.

const STEP = 60; // pixels, of an arrow key

export function follow(surface) {
  const { canvas } = surface;
  const pointers = new Map();
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, spot(event));
    if (pointers.size === 1) moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    const now = spot(event);
    if (!before) {
      surface.hover(surface.at(...now), ...now);
      return;
    }
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    if (others.length) {
      const [ox, oy] = others[0];
      surface.zoom((Math.hypot(now[0] - ox, now[1] - oy) || 1) / (Math.hypot(before[0] - ox, before[1] - oy) || 1), ox, oy);
    } else surface.pan(now[0] - before[0], now[1] - before[1]);
    moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    pointers.set(event.pointerId, now);
  });
  const up = (event) => {
    const was = pointers.delete(event.pointerId);
    if (was && event.type === "pointerup" && moved < 5) surface.pick(surface.at(...spot(event), event.pointerType === "touch" ? 18 : 8));
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => surface.hover(-1, 0, 0));
  // A page that is scrolled past the map must not be caught by it: the wheel zooms once the map has been clicked.
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    surface.zoom(1.0018 ** -event.deltaY, ...spot(event));
  }, { passive: false });
  const keys = {
    ArrowLeft: () => surface.pan(STEP, 0), ArrowRight: () => surface.pan(-STEP, 0),
    ArrowUp: () => surface.pan(0, STEP), ArrowDown: () => surface.pan(0, -STEP),
    "+": () => surface.zoom(1.5), "=": () => surface.zoom(1.5), "-": () => surface.zoom(1 / 1.5), 0: () => surface.fit(),
    Enter: () => surface.pick(surface.at(surface.width / 2, surface.height / 2, 40)),
    Escape: () => surface.pick(-1),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

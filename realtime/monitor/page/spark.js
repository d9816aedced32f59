// A small line without axes: where something is going.
import { draw, attribute } from "./dom.js";

const WIDTH = 96;
const HEIGHT = 24;

export function spark(label) {
  const line = draw("polyline", { fill: "none", points: "" });
  const half = draw("line", { class: "half", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 });
  const picture = draw(
    "svg",
    { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    half,
    line,
  );
  return { picture, update: (values, most) => attribute(line, "points", points(values, most)) };
}

function points(values, most) {
  const step = WIDTH / Math.max(1, most - 1);
  const first = most - values.length;
  return values
    .map((value, i) => (value === null ? null : `${((first + i) * step).toFixed(1)},${(1 + (1 - value) * (HEIGHT - 2)).toFixed(1)}`))
    .filter((each) => each !== null)
    .join(" ");
}

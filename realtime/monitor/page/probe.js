// The probe seen from above: where each channel is, how it changes now, and whether it is fit.
import { css, diverging } from "./colours.js";
import { attribute, draw, make, show, text } from "./dom.js";
import { HAEMOGLOBIN, MOTION, roundScale } from "./signal_store.js";
import { reason, say } from "./words.js";

const SIZE = 320;
const HEAD = 128;

// A head is a ball, nearly: what lies at its side is drawn further out, so that nothing hides behind anything.
export function flatten(position, centre, radius) {
  const [x, y, z] = position.map((each, i) => (each - centre[i]) / radius);
  const flat = Math.hypot(x, y), angle = Math.atan2(flat, z);
  const out = flat === 0 ? 0 : (angle / (Math.PI / 2)) * (HEAD * 0.92) / flat;
  return [SIZE / 2 + x * out, SIZE / 2 - y * out];
}

export class Probe {
  constructor(store) {
    this.store = store;
    this.drawn = "";
    this.picture = draw("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "probe", role: "img", "aria-label": say("probe") });
    this.scale = make("div", { class: "scale" });
    this.table = make("tbody");
    this.note = make("p", { class: "note" }, say("probe_note"));
    this.none = make("p", { class: "calm" }, say("probe_none"));
    this.details = make(
      "details",
      {},
      make("summary", {}, say("probe_quality")),
      make("div", { class: "table", tabindex: 0, role: "region", "aria-label": say("probe_quality") }, make("table", {}, make("thead", {}, make("tr", {}, ...["channel", "value", "quality"].map((each) => make("th", { scope: "col" }, say(`probe_${each}`))))), this.table)),
    );
    this.element = make("section", { class: "panel", id: "probe" }, make("h2", {}, say("probe")), this.none, this.picture, this.scale, this.note, this.details);
  }

  shown() {
    const channels = this.store.channels().length ? this.store.channels() : (this.store.layout?.processed.channels ?? this.store.layout?.raw.channels ?? []);
    const all = channels.map((channel, i) => [i, channel]).filter(([, channel]) => !MOTION.has(channel.kind) && channel.kind !== "physiology");
    // HbR mirrors HbO: one of them makes the picture, both are in the table.
    const first = all.some(([, channel]) => channel.kind === "hbo") ? all.filter(([, channel]) => channel.kind === "hbo") : all.filter(([, channel]) => !HAEMOGLOBIN.has(channel.kind) || channel.kind === "hbt");
    const seen = new Set();
    return [all, first.filter(([, channel]) => {
      const place = channel.source === undefined ? channel.name : `${channel.source}-${channel.detector}`;
      return !seen.has(place) && seen.add(place);
    })];
  }

  layOut(shown) {
    const drawn = JSON.stringify([this.store.layout?.revision, this.store.stage, css("--ink")]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const ends = ([, channel]) => [channel.source_position, channel.detector_position].filter(Boolean);
    const spots = shown.flatMap((each) => [...ends(each), each[1].position].filter(Boolean));
    const placed = spots.length > 0 && shown.every((each) => each[1].position || ends(each).length === 2);
    const head = placed ? headOf(spots) : null;
    const at = (position) => flatten(position, head.centre, head.radius);
    this.marks = new Map();
    const optodes = new Map();
    const items = shown.map((each, n) => {
      const [i, channel] = each;
      let mark;
      if (placed && ends(each).length === 2) {
        const [a, b] = ends(each).map(at);
        mark = draw("line", { x1: a[0], y1: a[1], x2: b[0], y2: b[1], class: "channel" });
        optodes.set(`s${channel.source}`, ["source", a]);
        optodes.set(`d${channel.detector}`, ["detector", b]);
        mark.middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      } else {
        const columns = Math.ceil(Math.sqrt(shown.length));
        const step = (SIZE - 40) / columns;
        const spot = placed ? at(channel.position) : [20 + step * ((n % columns) + 0.5), 20 + step * (Math.floor(n / columns) + 0.5)];
        mark = draw("circle", { cx: spot[0], cy: spot[1], r: placed ? 9 : Math.min(12, step / 2.5), class: "region" });
        mark.middle = spot;
      }
      mark.title = draw("title");
      mark.cross = draw("path", { class: "cross", d: crossAt(mark.middle) });
      mark.append(mark.title);
      this.marks.set(i, mark);
      return [mark, mark.cross];
    });
    const skull = placed
      ? [
          draw("path", { class: "skull", d: `M${SIZE / 2 - 16} ${SIZE / 2 - HEAD - 1}q16 -22 32 0` }),
          draw("circle", { class: "skull", cx: SIZE / 2, cy: SIZE / 2, r: HEAD }),
          draw("text", { x: 14, y: SIZE / 2 + 4, class: "side" }, say("probe_left")),
          draw("text", { x: SIZE - 14, y: SIZE / 2 + 4, class: "side" }, say("probe_right")),
        ]
      : [];
    const dots = [...optodes.values()].map(([kind, [x, y]]) => (kind === "source" ? draw("circle", { class: "optode", cx: x, cy: y, r: 3.2 }) : draw("rect", { class: "optode", x: x - 2.8, y: y - 2.8, width: 5.6, height: 5.6 })));
    this.picture.replaceChildren(...skull, ...items.map((each) => each[0]), ...dots, ...items.map((each) => each[1]));
  }

  update(leftOut) {
    const [all, shown] = this.shown();
    show(this.none, shown.length === 0);
    for (const each of [this.picture, this.scale, this.note, this.details]) show(each, shown.length > 0);
    this.picture.toggleAttribute("hidden", shown.length === 0);
    if (!shown.length) return;
    this.layOut(shown);
    const bad = { ...leftOut, ...(this.store.quality?.reasons ?? {}) };
    const values = new Map(this.store.times.length ? all.map(([i]) => [i, this.store.change(i)]) : []);
    const sizes = shown.map(([i]) => Math.abs(values.get(i))).filter(Number.isFinite).sort((a, b) => a - b);
    const limit = this.limit(sizes.length ? sizes[Math.floor(sizes.length * 0.95)] : 0);
    const unit = shown[0][1].unit;
    for (const [i, channel] of shown) {
      const mark = this.marks.get(i);
      const unfit = badOf(channel, all, bad);
      const value = values.get(i);
      const colour = Number.isFinite(value) && limit ? diverging(value / limit) : css("--line");
      attribute(mark, "data-bad", unfit ? "true" : null);
      mark.style.stroke = mark.tagName === "line" ? colour : "";
      mark.style.fill = mark.tagName === "line" ? "" : colour;
      mark.cross.style.display = unfit ? "" : "none";
      const told = Number.isFinite(value) ? signed(value, unit) : "";
      text(mark.title, [channel.name, told, unfit ? unfit.map(reason).join(", ") : say("probe_good")].filter(Boolean).join(" · "));
    }
    this.tell(limit, unit);
    if (this.details.open) {
      this.table.replaceChildren(...all.map(([i, channel]) => {
        const unfit = bad[channel.name];
        return make("tr", {}, make("th", { scope: "row" }, channel.name), make("td", {}, Number.isFinite(values.get(i)) ? signed(values.get(i), channel.unit) : "–"), make("td", { class: unfit ? "bad" : "" }, unfit ? unfit.map(reason).join(", ") : say("probe_good")));
      }));
    }
  }

  // The scale grows at once and shrinks slowly: colours of now and of a second ago can be compared.
  limit(size) {
    if (size > 0) this.most = Math.max(size, (this.most ?? size) * 0.98);
    return this.most ? roundScale(this.most * 2, "")[0] : 0;
  }

  tell(limit, unit) {
    const told = JSON.stringify([limit, unit, css("--ink")]);
    if (told === this.told || !limit) return;
    this.told = told;
    const steps = [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75, 1].map((each) => {
      const step = make("i");
      step.style.background = diverging(each);
      return step;
    });
    this.scale.replaceChildren(make("span", {}, signed(-limit, unit)), make("b", {}, ...steps), make("span", {}, signed(limit, unit)));
  }
}

function headOf(spots) {
  const middle = [0, 1, 2].map((i) => (Math.min(...spots.map((each) => each[i])) + Math.max(...spots.map((each) => each[i]))) / 2);
  const reach = Math.max(...spots.map((each) => Math.hypot(each[0], each[1])));
  // Positions are in the head frame, metres; a patch that is told in a frame of its own is put in the middle.
  const own = Math.hypot(...middle) > 0.3 || reach > 0.2 || reach < 0.03;
  const centre = own ? middle : [0, 0, 0.02];
  const radius = Math.max(0.02, ...spots.map((each) => Math.hypot(...each.map((one, i) => one - centre[i]))));
  return { centre, radius };
}

function badOf(channel, all, bad) {
  const same = all.filter(([, other]) => other === channel || (channel.source !== undefined && other.source === channel.source && other.detector === channel.detector));
  const found = same.flatMap(([, other]) => (Object.hasOwn(bad, other.name) ? bad[other.name] : []));
  return found.length ? [...new Set(found)] : null;
}

function crossAt([x, y]) {
  return `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x + 4} ${y - 4}L${x - 4} ${y + 4}`;
}

function signed(value, unit) {
  if (!(Math.abs(value) > 0)) return "0";
  const [, words] = exact(Math.abs(value), unit);
  return `${value < 0 ? "−" : "+"}${words}`;
}

function exact(size, unit) {
  const [, words] = roundScale(10 ** Math.floor(Math.log10(size)), unit);
  const [number, ...rest] = words.split(" ");
  const factor = Number(number) / 10 ** Math.floor(Math.log10(size));
  return [size, [Number((size * factor).toPrecision(2)), ...rest].join(" ")];
}

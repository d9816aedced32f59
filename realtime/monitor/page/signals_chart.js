// The last minute of every channel: a row for each pair of optodes or region, lowest to highest of each pixel.
import { css, DEOXY, OXY } from "./colours.js";
import { make, show, text } from "./dom.js";
import { HAEMOGLOBIN, KEPT_S, MOTION, roundScale } from "./signal_store.js";
import { say } from "./words.js";

const ROW = 26;
const NAMES = 74;

export class SignalsChart {
  constructor(store) {
    this.store = store;
    this.canvas = make("canvas", { role: "img", "aria-label": say("signals") });
    this.title = make("h2", {}, say("signals"));
    this.note = make("p", { class: "note" });
    this.legend = make("ul", { class: "legend" });
    this.place = make("div", { class: "strip", tabindex: 0, "aria-label": say("signals"), role: "region" }, this.canvas);
    this.element = make("section", { class: "panel wide", id: "signals" }, this.title, this.legend, this.place, this.note);
  }

  // Channels of one place go into one row.
  rows() {
    const rows = new Map();
    this.store.channels().forEach((channel, i) => {
      if (MOTION.has(channel.kind) || channel.kind === "physiology") return;
      const paired = channel.source !== undefined && channel.detector !== undefined;
      const name = paired ? `${channel.source_name ?? `S${channel.source}`}–${channel.detector_name ?? `D${channel.detector}`}` : channel.name;
      if (!rows.has(name)) rows.set(name, []);
      rows.get(name).push([i, channel]);
    });
    return rows;
  }

  draw() {
    const { store } = this;
    const rows = this.rows();
    show(this.place, rows.size > 0);
    show(this.legend, rows.size > 0);
    text(this.note, rows.size === 0 ? say("signals_none") : store.stage === "raw" ? say("signals_raw") : "");
    if (!rows.size || !store.times.length) return;
    const channels = store.channels();
    const regions = channels.some((channel) => channel.kind === "bold");
    text(this.title, say(regions ? "signals_regions" : "signals"));
    const width = this.place.clientWidth || 600, height = rows.size * ROW + 4;
    const scale = Math.min(2, devicePixelRatio || 1);
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const ctx = this.canvas.getContext("2d");
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    ctx.clearRect(0, 0, width, height);
    const common = store.stage === "processed" ? this.size([...rows.values()].flat().map(([i]) => i)) : null;
    const end = store.times.at(-1);
    const x = (time) => NAMES + ((time - end + KEPT_S) / KEPT_S) * (width - NAMES - 4);
    const ink = css("--ink-soft"), line = css("--line"), poor = css("--warn-ink");
    const bad = store.quality?.reasons ?? {};
    const colours = { hbo: OXY(), hbr: DEOXY(), hbt: css("--ink") };
    ctx.font = "11px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    let place = 0;
    for (const [name, members] of rows) {
      const middle = place * ROW + ROW / 2 + 2;
      const unfit = members.some(([, channel]) => Object.hasOwn(bad, channel.name));
      ctx.fillStyle = unfit ? poor : ink;
      ctx.fillText((unfit ? "× " : "") + (name.length > 11 ? `${name.slice(0, 10)}…` : name), 2, middle, NAMES - 6);
      ctx.strokeStyle = line;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(NAMES, middle);
      ctx.lineTo(width - 4, middle);
      ctx.stroke();
      members.forEach(([i, channel], member) => {
        ctx.strokeStyle = colours[channel.kind] ?? (member % 2 ? DEOXY() : css("--accent"));
        ctx.globalAlpha = unfit ? 0.45 : 1;
        this.trace(ctx, i, x, middle, ((common ?? this.size([i])) * 2.2) / ROW);
      });
      ctx.globalAlpha = 1;
      place += 1;
    }
    this.key(channels, common);
  }

  // Largest distance from its mean that channels have; single spikes do not count.
  size(indices) {
    const sizes = indices
      .map((i) => {
        const mean = this.store.mean(i);
        const each = this.store.low[i].filter((value) => value !== null).map((value) => Math.abs(value - mean)).sort((a, b) => a - b);
        return each.length ? each[Math.floor(each.length * 0.97)] : 0;
      })
      .filter((each) => each > 0)
      .sort((a, b) => a - b);
    return sizes.length ? sizes[Math.floor(sizes.length * 0.9)] : 1;
  }

  trace(ctx, i, x, middle, unit) {
    const { times, low, high, interval } = this.store;
    const mean = this.store.mean(i);
    const lows = low[i], highs = high[i];
    const y = (value) => middle - Math.max(-ROW / 2, Math.min(ROW / 2, (value - mean) / unit));
    ctx.lineWidth = 1.1;
    ctx.beginPath();
    let before = -Infinity, column = NaN, least = 0, most = 0, open = false;
    const flush = () => {
      if (Number.isNaN(column)) return;
      if (open) ctx.lineTo(column, y(least));
      else ctx.moveTo(column, y(least));
      if (most !== least) ctx.lineTo(column, y(most));
      open = true;
      column = NaN;
    };
    for (let t = 0; t < times.length; t += 1) {
      if (lows[t] === null || times[t] - before > 1.5 * interval) {
        flush();
        open = false;
      }
      before = times[t];
      if (lows[t] === null) continue;
      const pixel = Math.round(x(times[t]) * 2) / 2;
      if (pixel !== column) {
        flush();
        (column = pixel), (least = lows[t]), (most = highs[t]);
      } else {
        (least = Math.min(least, lows[t])), (most = Math.max(most, highs[t]));
      }
    }
    flush();
    ctx.stroke();
  }

  key(channels, common) {
    const kinds = [...new Set(channels.map((channel) => channel.kind))].filter((kind) => HAEMOGLOBIN.has(kind));
    const unit = channels.find((channel) => !MOTION.has(channel.kind))?.unit ?? "";
    const drawn = JSON.stringify([kinds, unit, common && roundScale(common, unit), OXY()]);
    if (drawn === this.keyDrawn) return;
    this.keyDrawn = drawn;
    const items = kinds.map((kind) => {
      const dot = make("i");
      dot.style.background = { hbo: OXY(), hbr: DEOXY() }[kind] ?? css("--ink");
      return make("li", {}, dot, { hbo: say("signals_hbo"), hbr: say("signals_hbr"), hbt: "HbT" }[kind]);
    });
    if (common) {
      const [round, words] = roundScale(common, unit);
      const bar = make("i", { class: "bar-scale" });
      bar.style.height = `${Math.min(24, (round / common) * (ROW / 2.2))}px`;
      items.push(make("li", {}, bar, words));
    }
    this.legend.replaceChildren(...items);
  }
}

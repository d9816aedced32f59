// Decisions over time: each window a dot at its end, evidence a line, abstentions marks below, gaps left empty.
import { css, labelColour } from "./colours.js";
import { make, show, text } from "./dom.js";
import { percent, reason, say, timeOfDay } from "./words.js";

/* global uPlot */

const SEQUENCE = 0, COUNT = 1, START = 2, END = 3, UTC = 4, UNCERTAINTY = 5, LABEL = 6, REASONS = 7, PROBABILITIES = 8, EVIDENCE = 9;
const SHOWN_S = 300;
const MOST = 600;
const HEIGHT = 230;

export class DecisionsChart {
  constructor() {
    this.rows = [];
    this.plot = null;
    this.place = make("div", { class: "chart" });
    this.legend = make("ul", { class: "legend" });
    this.none = make("p", { class: "calm" }, say("decisions_none"));
    this.summary = make("p", { class: "hidden" });
    this.abstentions = make("ul", { class: "reasons" });
    this.abstained = make("p", { class: "note" });
    this.element = make(
      "section",
      { class: "panel wide", id: "decisions" },
      make("h2", {}, say("decisions")),
      this.legend,
      this.none,
      this.place,
      this.summary,
      make("p", { class: "note" }, say("decisions_note")),
      make("h3", {}, say("abstentions")),
      this.abstained,
      this.abstentions,
    );
  }

  clear() {
    this.rows = [];
  }

  take(rows) {
    if (!rows.length) return;
    // History may come late and twice: the order is that of the windows, each once.
    const known = new Map(this.rows.map((row) => [row[SEQUENCE], row]));
    for (const row of rows) known.set(row[SEQUENCE], row);
    this.rows = [...known.values()].sort((a, b) => a[SEQUENCE] - b[SEQUENCE]).slice(-MOST);
    this.update();
  }

  labels() {
    return [...new Set(this.rows.flatMap((row) => Object.keys(row[EVIDENCE]).concat(Object.keys(row[PROBABILITIES] ?? {}))))].sort();
  }

  // Times, and a line for each label, with a hole wherever a window is missing.
  data(labels) {
    const times = [], lines = labels.map(() => []), dots = labels.map(() => []);
    let before = null;
    for (const row of this.rows) {
      const step = before && before[COUNT] === 1 ? row[SEQUENCE] - before[SEQUENCE] : 1;
      if (before && step > 1) {
        times.push(before[END] + 1e-3);
        for (const line of lines.concat(dots)) line.push(null);
      }
      times.push(row[END]);
      const computed = row[PROBABILITIES] !== null;
      labels.forEach((label, i) => {
        lines[i].push(computed ? (row[EVIDENCE][label] ?? null) : null);
        dots[i].push(computed && row[LABEL] === label ? row[PROBABILITIES][label] : null);
      });
      before = row;
    }
    return [times, ...lines, ...dots];
  }

  update() {
    show(this.none, this.rows.length === 0);
    const labels = this.labels();
    // Two labels say the same twice: the line of one is enough.
    const drawn = labels.length === 2 ? labels.slice(1) : labels;
    const key = JSON.stringify([labels, css("--ink")]);
    this.all = labels;
    const data = this.data(labels);
    if (key !== this.key || !this.plot) {
      this.key = key;
      this.plot?.destroy();
      this.plot = this.newPlot(labels, drawn, data);
      this.legend.replaceChildren(...labels.map((label) => {
        const dot = make("i");
        dot.style.background = labelColour(labels, label);
        return make("li", {}, dot, label);
      }));
    } else {
      this.plot.setData(data, false);
    }
    this.resize();
    const end = this.rows.at(-1)[END];
    this.plot.setScale("x", { min: end - SHOWN_S, max: end + 2 });
    this.tell();
  }

  newPlot(labels, drawn, data) {
    const ink = css("--ink-soft"), grid = css("--line");
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: "12px system-ui, sans-serif" };
    const lines = labels.map((label) => ({ label, show: drawn.includes(label), stroke: labelColour(labels, label), width: 2, points: { show: false }, spanGaps: false }));
    const dots = labels.map((label) => ({ label, stroke: labelColour(labels, label), width: 0, paths: () => null, points: { show: true, size: 6, fill: labelColour(labels, label), width: 0 } }));
    return new uPlot(
      {
        width: this.place.clientWidth || 600,
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        scales: { x: { time: false }, y: { range: [-0.12, 1.02] } },
        axes: [
          { ...axis, values: (plot, ticks) => ticks.map((at) => this.timeAt(at)), space: 80 },
          { ...axis, values: (plot, ticks) => ticks.map((at) => (at < 0 ? "" : percent(at))), size: 52 },
        ],
        series: [{}, ...lines, ...dots],
        hooks: { drawClear: [(plot) => this.under(plot)], draw: [(plot) => this.over(plot)] },
      },
      data,
      this.place,
    );
  }

  timeAt(at) {
    const known = this.rows.findLast((row) => row[UTC] !== null);
    return known ? timeOfDay(known[UTC] + at - known[END]) : `${Math.round(at)} s`;
  }

  // Grey where nothing was decided at all.
  under(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.fillStyle = css("--gap");
    const band = (from, to) => {
      const left = Math.max(bbox.left, plot.valToPos(from, "x", true)), right = Math.min(bbox.left + bbox.width, plot.valToPos(to, "x", true));
      if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
    };
    let before = null;
    for (const row of this.rows) {
      if (before && row[SEQUENCE] - before[SEQUENCE] > before[COUNT]) band(before[END], row[END]);
      if (row[COUNT] > 1) band(before ? before[END] : row[START], row[END]);
      before = row;
    }
    ctx.restore();
  }

  // Whiskers for the uncertainty of time, marks for abstentions.
  over(plot) {
    const { ctx, bbox } = plot;
    const scale = devicePixelRatio || 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const marks = plot.valToPos(-0.06, "y", true);
    ctx.fillStyle = ctx.strokeStyle = css("--ink-soft");
    ctx.lineWidth = scale;
    for (const row of this.rows) {
      const x = plot.valToPos(row[END], "x", true);
      if (x < bbox.left) continue;
      const height = row[LABEL] === null ? marks : plot.valToPos(row[PROBABILITIES][row[LABEL]], "y", true);
      const half = (row[UNCERTAINTY] * bbox.width) / SHOWN_S;
      if (half > 3 * scale) {
        ctx.beginPath();
        ctx.moveTo(x - half, height);
        ctx.lineTo(x + half, height);
        ctx.stroke();
      }
      if (row[LABEL] === null) {
        const undecided = row[REASONS].every((each) => each === "undecided");
        if (undecided) ctx.fillRect(x - scale, marks - scale, 2 * scale, 2 * scale);
        else ctx.fillRect(x - scale, marks - 5 * scale, 2 * scale, 10 * scale);
      }
    }
    ctx.restore();
  }

  // The same in words.
  tell() {
    const recent = this.rows.filter((row) => row[END] > this.rows.at(-1)[END] - SHOWN_S);
    const counts = new Map();
    let windows = 0, abstained = 0;
    for (const row of recent) {
      windows += row[COUNT];
      if (row[LABEL] !== null) continue;
      abstained += row[COUNT];
      for (const each of row[REASONS]) counts.set(each, (counts.get(each) ?? 0) + row[COUNT]);
    }
    text(this.abstained, abstained ? say("abstentions_some", { count: abstained, all: windows }) : say("abstentions_none", { count: windows }));
    const sorted = [...counts].sort((a, b) => b[1] - a[1]);
    const told = JSON.stringify(sorted);
    if (told !== this.told) {
      this.told = told;
      this.abstentions.replaceChildren(...sorted.map(([name, count]) => make("li", {}, make("strong", {}, String(count)), ` ${reason(name)}`)));
    }
  }

  resize() {
    const width = this.place.clientWidth;
    if (this.plot && width && width !== this.plot.width) this.plot.setSize({ width, height: HEIGHT });
  }

  redraw() {
    this.key = "";
    if (this.rows.length) this.update();
  }
}

// How the head moved: shifts, turns, and framewise displacement, where the stream tells.
import { css, DEOXY, OXY } from "./colours.js";
import { make, show } from "./dom.js";
import { say } from "./words.js";

/* global uPlot */

const KINDS = [
  ["head_translation", "motion_shift", 1e3],
  ["head_rotation", "motion_turn", 180 / Math.PI],
  ["framewise_displacement", "motion_fd", 1e3],
];

export class MotionChart {
  constructor(store) {
    this.store = store;
    this.places = KINDS.map(([, words]) => ({ title: make("h3", {}, say(words)), place: make("div", { class: "chart" }), plot: null, key: "" }));
    this.element = make("section", { class: "panel wide", id: "motion", hidden: true }, make("h2", {}, say("motion")), ...this.places.flatMap((each) => [each.title, each.place]));
  }

  draw() {
    const channels = this.store.channels();
    let any = false;
    KINDS.forEach(([kind, , factor], n) => {
      const rows = channels.flatMap((channel, i) => (channel.kind === kind ? [[i, channel.name]] : []));
      const each = this.places[n];
      show(each.title, rows.length > 0);
      show(each.place, rows.length > 0);
      if (!rows.length || !this.store.times.length) return;
      any = true;
      const data = [this.store.times, ...rows.map(([i]) => this.store.high[i].map((value) => (value === null ? null : value * factor)))];
      const key = JSON.stringify([rows, css("--ink"), this.store.revision]);
      if (key === each.key) return each.plot.setData(data);
      each.key = key;
      each.plot?.destroy();
      const colours = [OXY(), DEOXY(), css("--ink")];
      const axis = { stroke: css("--ink-soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
      show(this.element, true);
      each.plot = new uPlot(
        {
          width: each.place.clientWidth || 600,
          height: 110,
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false } },
          axes: [{ ...axis, show: false }, { ...axis, size: 52 }],
          series: [{}, ...rows.map(([, name], i) => ({ label: name, stroke: colours[i % 3], width: 1.5, points: { show: false } }))],
        },
        data,
        each.place,
      );
    });
    show(this.element, any);
  }
}

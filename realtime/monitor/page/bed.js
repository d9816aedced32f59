// One bed, as large as the screen: what is current, what it rests on, and what came before.
import { Alarms } from "./alarms.js";
import { labelColour } from "./colours.js";
import { DecisionsChart } from "./decisions_chart.js";
import { attribute, make, show, text } from "./dom.js";
import { EventForm } from "./events.js";
import { Facts } from "./facts.js";
import { MotionChart } from "./motion_chart.js";
import { Probe } from "./probe.js";
import { stateLine, whyLine } from "./sentences.js";
import { SignalStore } from "./signal_store.js";
import { SignalsChart } from "./signals_chart.js";
import { spark } from "./spark.js";
import { TREND } from "./tile.js";
import { verdict } from "./truth.js";
import { duration, percent, quantity, say } from "./words.js";

export class BedView {
  constructor(place, name, me) {
    this.name = name;
    this.bed = null;
    this.details = {};
    this.known = false;
    this.store = new SignalStore();
    this.alarms = new Alarms(name, me);
    this.event = new EventForm(name, me);
    this.facts = new Facts();
    this.chart = new DecisionsChart();
    this.signals = new SignalsChart(this.store);
    this.motion = new MotionChart(this.store);
    this.probe = new Probe(this.store);
    this.state = make("span", { class: "state" });
    this.origin = make("span", { class: "origin", hidden: true });
    this.word = make("span", { class: "word" });
    this.probability = make("span", { class: "probability" });
    this.why = make("p", { class: "why" });
    this.age = make("span", { class: "age" });
    this.evidence = make("p", { class: "evidence" });
    this.bars = make("ul", { class: "bars" });
    this.trend = spark(say("trend"));
    this.used = make("p", { class: "quality" });
    this.unknown = make("p", { class: "empty", hidden: true }, say("bed_unknown"));
    this.now = make(
      "section",
      { class: "panel now", "aria-label": say("decisions") },
      make("div", { class: "row" }, this.state, this.origin, this.age),
      make("p", { class: "label", "aria-live": "off" }, this.word, this.probability),
      this.why,
      this.bars,
      make("div", { class: "row course" }, this.trend.picture, this.evidence),
      this.used,
    );
    this.body = make(
      "div",
      { class: "bed-grid" },
      make("div", { class: "side-column" }, this.now, this.alarms.element, this.event.element, this.probe.element),
      make("div", { class: "main-column" }, this.chart.element, this.signals.element, this.motion.element, this.facts.element),
    );
    this.element = make("section", { class: "bed" }, make("div", { class: "bar" }, make("a", { href: "#/", class: "back" }, `← ${say("back")}`), make("h1", {}, name)), this.unknown, this.body);
    place.replaceChildren(this.element);
    this.resized = () => this.resize();
    addEventListener("resize", this.resized);
  }

  take(news) {
    this.known = true;
    if (news.bed === null) {
      this.bed = null;
      return;
    }
    if (news.whole) {
      this.chart.clear();
      this.store.clear();
    }
    if (news.channels) this.store.describe(news.channels);
    if (news.bed) {
      this.bed = news.bed;
      this.details = news.details;
    }
    this.chart.take(news.decisions);
    for (const message of news.signals) this.store.take(message);
    if (news.signals.length || news.channels || news.whole) this.fresh = true;
    if (news.bed) this.fresh = true;
  }

  look(trouble, now) {
    const { bed } = this;
    show(this.unknown, this.known && bed === null);
    show(this.body, bed !== null);
    if (bed === null) return;
    const judged = verdict(bed, trouble, now);
    const labelled = judged.current && judged.label !== null;
    attribute(this.now, "data-current", String(labelled));
    attribute(this.now, "data-why", judged.why || "label");
    text(this.state, stateLine(bed, judged));
    attribute(this.element, "data-state", judged.current ? "live" : judged.why);
    show(this.origin, bed.origin === "replayed" || bed.origin === "simulated");
    text(this.origin, bed.origin ? say(`origin_${bed.origin}`) : "");
    text(this.word, labelled ? judged.label : judged.current ? say("abstains") : "—");
    text(this.probability, labelled ? percent(judged.probability) : "");
    text(this.why, labelled ? "" : whyLine(bed, judged));
    text(this.age, Number.isFinite(judged.age) ? say("age_value", { time: duration(judged.age) }) : "");
    this.evidenceOf(bed, judged);
    this.event.update(bed, trouble);
    if (!this.fresh) return;
    this.fresh = false;
    this.chart.resize();
    this.trend.update(bed.trend, TREND);
    this.alarms.update(bed.alarms, bed.commands);
    this.facts.update(bed, this.details);
    this.signals.draw();
    this.motion.draw();
    this.probe.update(this.details.decision?.left_out ?? {});
  }

  evidenceOf(bed, judged) {
    const { decision } = bed;
    const shown = judged.current && decision && decision.evidence !== null;
    show(this.evidence, Boolean(shown));
    show(this.used, Boolean(judged.current && decision));
    if (!judged.current || !decision) {
      this.bars.replaceChildren();
      this.barsDrawn = "";
      return;
    }
    if (shown) {
      const parts = [`${say("evidence")}: ${say("evidence_value", { label: decision.evidence, probability: percent(decision.evidence_probability) })}`, say("evidence_windows", { count: decision.windows })];
      if (decision.effective !== null) parts.push(say("evidence_effective", { count: quantity(decision.effective, 2) }));
      if (decision.stopped !== null) parts.push(say("evidence_stopped", { label: decision.stopped }));
      text(this.evidence, parts.join(", "));
    }
    const parts = [say("channels_used", { count: decision.channels }), say("coverage", { share: percent(decision.coverage) })];
    if (decision.left_out) parts.push(say("channels_left_out", { count: decision.left_out }));
    text(this.used, parts.join(", "));
    this.barsOf(bed);
  }

  barsOf(bed) {
    const row = this.chart.rows.at(-1);
    const probabilities = row && row[0] === bed.decision.sequence ? row[8] : null;
    const drawn = JSON.stringify(probabilities);
    if (drawn === this.barsDrawn) return;
    this.barsDrawn = drawn;
    const labels = this.chart.labels();
    this.bars.replaceChildren(...Object.entries(probabilities ?? {}).sort().map(([label, probability]) => {
      const bar = make("i");
      bar.style.width = `${probability * 100}%`;
      bar.style.background = labelColour(labels, label);
      return make("li", {}, make("span", {}, label), make("b", {}, bar), make("span", {}, percent(probability)));
    }));
  }

  resize() {
    this.chart.resize();
    this.signals.draw();
  }

  redraw() {
    this.chart.redraw();
    this.fresh = true;
  }

  close() {
    removeEventListener("resize", this.resized);
  }
}

// One bed in the overview.
import { attribute, make, show, text } from "./dom.js";
import { spark } from "./spark.js";
import { stateLine, whyLine } from "./sentences.js";
import { duration, percent, say } from "./words.js";

export const TREND = 48;

export class Tile {
  constructor(name) {
    this.name = make("h2", { class: "name" }, name);
    this.state = make("span", { class: "state" });
    this.alarms = make("span", { class: "alarms", hidden: true });
    this.label = make("p", { class: "label" });
    this.probability = make("span", { class: "probability" });
    this.word = make("span", { class: "word" });
    this.label.append(this.word, this.probability);
    this.why = make("p", { class: "why" });
    this.evidence = make("span", { class: "evidence" });
    this.trend = spark(say("trend"));
    this.age = make("span", { class: "age" });
    this.quality = make("span", { class: "quality" });
    this.origin = make("span", { class: "origin", hidden: true });
    this.element = make(
      "li",
      { class: "tile" },
      make(
        "a",
        { href: `#/bed/${encodeURIComponent(name)}` },
        make("div", { class: "row" }, this.name, this.origin, this.alarms),
        this.state,
        this.label,
        this.why,
        make("div", { class: "row course" }, this.trend.picture, this.evidence),
        make("div", { class: "row foot" }, this.age, this.quality),
      ),
    );
  }

  // Draw a bed as it has been judged; ages are those of the judgement.
  update(bed, judged, rank) {
    const { element } = this;
    attribute(element, "data-current", judged.current && judged.label !== null ? "true" : "false");
    attribute(element, "data-why", judged.why || "label");
    attribute(element, "data-need", rank);
    text(this.state, stateLine(bed, judged));
    const labelled = judged.current && judged.label !== null;
    text(this.word, labelled ? judged.label : judged.current ? say("abstains") : "—");
    text(this.probability, labelled ? percent(judged.probability) : "");
    text(this.why, labelled ? "" : whyLine(bed, judged));
    const decision = bed.decision;
    const known = judged.current && decision && decision.evidence !== null;
    text(
      this.evidence,
      known ? say("evidence_value", { label: decision.evidence, probability: percent(decision.evidence_probability) }) : "",
    );
    if (this.drawn !== bed.n) {
      this.drawn = bed.n;
      this.trend.update(bed.trend, TREND);
      const open = bed.alarms.filter((alarm) => alarm.acknowledged_by === null);
      show(this.alarms, open.length > 0);
      text(this.alarms, open.length === 1 ? say("alarm_one") : say("alarm_many", { count: open.length }));
      attribute(this.alarms, "data-priority", open.length ? open[0].priority : null);
      show(this.origin, bed.origin === "replayed" || bed.origin === "simulated");
      text(this.origin, bed.origin ? say(`origin_${bed.origin}`) : "");
    }
    text(this.age, Number.isFinite(judged.age) ? say("age_value", { time: duration(judged.age) }) : "");
    const left = decision ? decision.left_out : 0;
    const quality = decision ? say("channels_used", { count: decision.channels }) : "";
    text(this.quality, judged.current ? (left ? `${quality}, ${say("channels_left_out", { count: left })}` : quality) : "");
  }
}

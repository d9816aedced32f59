// What is known of the stream, the journal, the model and the programs, as a list of pairs.
import { make } from "./dom.js";
import { duration, quantity, say } from "./words.js";

export class Facts {
  constructor() {
    this.drawn = "";
    this.element = make("div", { class: "facts" });
  }

  update(bed, details) {
    const drawn = JSON.stringify([details, bed.origin]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const { clock, journal, broker, window } = details;
    this.element.replaceChildren(
      panel("model", [
        ["model_hash", (details.model ?? "").slice(0, 12)],
        ["model_evaluation", details.evaluation],
        ["model_labels", details.labels],
        ["model_window", window && say("model_window_value", { length: duration(window.length_s), step: duration(window.step_s), age: duration(window.max_age_s) })],
      ]),
      panel("stream", [
        ["stream_name", details.stream],
        ["stream_origin", bed.origin],
        ...(clock
          ? [
              ["stream_rate", `${quantity(clock.rate, 5)} Hz`],
              ["stream_jitter", `${quantity(clock.jitter_s * 1000)} ms`],
              ["stream_uncertainty", `${quantity(clock.uncertainty_s * 1000)} ms`],
              ["stream_gaps", clock.gaps],
              ["stream_dropped", clock.dropped],
              ["stream_lost", clock.lost],
            ]
          : []),
        ["stream_steps", details.wall_clock_steps],
        ["stream_rejected", pairs(details.rejected)],
      ]),
      panel("journal", [
        ["journal", journal ? say(journal.failing ? "journal_failing" : "journal_fine") : say("journal_none")],
        ["publishing", broker && say(broker.waiting ? "publishing_waiting" : "publishing_fine", { count: broker.waiting })],
        ["failing", pairs(details.failing)],
      ]),
      panel("versions", Object.entries(details.versions ?? {}), true),
    );
  }
}

function pairs(values) {
  return Object.entries(values ?? {}).map(([name, value]) => `${name}: ${value}`).join(", ");
}

function panel(title, rows, verbatim = false) {
  const list = make("dl");
  for (const [key, value] of rows) {
    if (value === undefined || value === null || value === "") continue;
    list.append(make("dt", {}, verbatim ? key : say(key)), make("dd", {}, String(value)));
  }
  return make("section", { class: "panel" }, make("h2", {}, say(title)), list);
}

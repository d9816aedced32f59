// Write a marker into the session's journal.
import { make, show, text } from "./dom.js";
import { command } from "./commands.js";
import { say } from "./words.js";

export class EventForm {
  constructor(bed, me) {
    this.bed = bed;
    this.me = me;
    this.input = make("input", { id: "event-label", maxlength: 200, required: true, autocomplete: "off" });
    this.button = make("button", { type: "submit", class: "primary" }, say("event_write"));
    this.form = make("form", { onsubmit: (event) => this.send(event) }, make("label", { for: "event-label" }, say("event_label")), make("div", { class: "row" }, this.input, this.button));
    this.why = make("p", { class: "note", hidden: true });
    this.answer = make("p", { class: "answer", role: "status", hidden: true });
    this.element = make("section", { class: "panel", id: "event" }, make("h2", {}, say("event")), this.form, this.why, this.answer);
  }

  update(bed, trouble) {
    const may = this.me.role === "write";
    show(this.form, may && bed.commands);
    show(this.why, !(may && bed.commands));
    text(this.why, may ? say("event_not_taken") : say("event_read_only"));
    this.button.disabled = Boolean(trouble) || bed.silent || this.sending === true;
  }

  async send(event) {
    event.preventDefault();
    const label = this.input.value.trim();
    if (!label || this.sending) return;
    this.sending = true;
    this.button.disabled = true;
    const line = await command("/event", this.me, { bed: this.bed, label });
    this.sending = false;
    show(this.answer, line !== null);
    text(this.answer, line ?? "");
    if (line !== say("event_unanswered")) this.input.value = "";
    this.input.focus();
  }
}

// The list of a bed's alarms: technical ones, until somebody has acknowledged them.
import { make, show, text } from "./dom.js";
import { command } from "./commands.js";
import { say, timeOfDay } from "./words.js";

export class Alarms {
  constructor(bed, me) {
    this.bed = bed;
    this.me = me;
    this.drawn = "";
    this.answer = make("p", { class: "answer", role: "status", hidden: true });
    this.list = make("ul", { class: "alarm-list" });
    this.none = make("p", { class: "calm" }, say("alarms_none"));
    this.element = make(
      "section",
      { class: "panel", id: "alarms" },
      make("h2", {}, say("alarms")),
      make("p", { class: "note" }, say("alarms_technical")),
      this.none,
      this.list,
      this.answer,
    );
  }

  update(alarms, takes) {
    const drawn = JSON.stringify([alarms, takes]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    show(this.none, alarms.length === 0);
    this.list.replaceChildren(...alarms.map((alarm) => this.item(alarm, takes)));
  }

  item(alarm, takes) {
    const facts = [say("since", { time: timeOfDay(Date.parse(alarm.since_utc) / 1000) })];
    if (alarm.until_utc) facts.push(say("alarm_over", { time: timeOfDay(Date.parse(alarm.until_utc) / 1000) }));
    if (alarm.count > 1) facts.push(say("alarm_times", { count: alarm.count }));
    const open = alarm.acknowledged_by === null;
    if (!open) facts.push(say("alarm_seen_by", { who: alarm.acknowledged_by, time: timeOfDay(Date.parse(alarm.acknowledged_utc) / 1000) }));
    return make(
      "li",
      { "data-priority": alarm.priority, "data-open": String(open) },
      make("span", { class: "priority" }, say(`alarm_${alarm.priority}`)),
      make("div", {}, make("strong", {}, alarm.kind), make("p", {}, alarm.text), make("p", { class: "note" }, facts.join(" · "))),
      open && takes && this.me.role === "write"
        ? make("button", { type: "button", onclick: (event) => this.acknowledge(alarm, event.currentTarget) }, say("acknowledge"))
        : null,
    );
  }

  async acknowledge(alarm, button) {
    button.disabled = true;
    const line = await command("/acknowledge", this.me, { bed: this.bed, alarm: alarm.id });
    show(this.answer, line !== null);
    text(this.answer, line ?? "");
    button.disabled = false;
  }
}

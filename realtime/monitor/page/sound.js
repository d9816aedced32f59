// A quiet tone for alarms that nobody has acknowledged; off until somebody turns it on.
import { say } from "./words.js";

const EVERY_MS = { high: 10000, medium: 30000 };
const TONES = { high: [660, 550, 660], medium: [550, 440] };

export class Sound {
  constructor(button) {
    this.button = button;
    this.context = null;
    this.last = -Infinity;
    button.addEventListener("click", () => this.turn());
    this.tell();
  }

  turn() {
    if (this.context) {
      this.context.close();
      this.context = null;
    } else {
      this.context = new AudioContext();
      this.last = -Infinity;
    }
    this.tell();
  }

  tell() {
    this.button.textContent = say(this.context ? "sound_on" : "sound_off");
    this.button.setAttribute("aria-pressed", String(this.context !== null));
  }

  look(view) {
    if (!this.context) return;
    const beds = view.beds ? [...view.beds.values()] : view.bed ? [view.bed] : [];
    const open = beds.flatMap((bed) => bed.alarms).filter((alarm) => alarm.acknowledged_by === null && alarm.until_utc === null);
    const worst = ["high", "medium"].find((priority) => open.some((alarm) => alarm.priority === priority));
    if (!worst || performance.now() - this.last < EVERY_MS[worst]) return;
    this.last = performance.now();
    TONES[worst].forEach((pitch, i) => this.tone(pitch, i * 0.25));
  }

  tone(pitch, after) {
    const at = this.context.currentTime + after;
    const oscillator = new OscillatorNode(this.context, { frequency: pitch });
    const gain = new GainNode(this.context, { gain: 0 });
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.12, at + 0.02);
    gain.gain.linearRampToValueAtTime(0, at + 0.2);
    oscillator.connect(gain).connect(this.context.destination);
    oscillator.start(at);
    oscillator.stop(at + 0.22);
  }
}

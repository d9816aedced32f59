// The last minute of a bed's signals, as the messages bring it.

export const KEPT_S = 60;
export const HAEMOGLOBIN = new Set(["hbo", "hbr", "hbt"]);
export const MOTION = new Set(["head_translation", "head_rotation", "framewise_displacement"]);

export class SignalStore {
  constructor() {
    this.layout = null;
    this.clear();
  }

  clear() {
    this.stage = null;
    this.revision = null;
    this.times = [];
    this.low = [];
    this.high = [];
    this.interval = 1;
    this.quality = null;
  }

  describe(layout) {
    this.layout = layout;
    this.clear();
  }

  channels() {
    return this.layout && this.stage ? this.layout[this.stage].channels : [];
  }

  take(message) {
    if (!this.layout || message.revision !== this.layout.revision) return;
    if (message.low.length !== this.layout[message.stage].channels.length) return;
    if (message.stage !== this.stage) {
      const { quality } = this;
      this.clear();
      this.quality = quality;
      this.stage = message.stage;
      this.low = message.low.map(() => []);
      this.high = message.low.map(() => []);
    }
    this.interval = message.interval_s;
    if (message.quality) this.quality = message.quality;
    const last = this.times.at(-1) ?? -Infinity;
    const first = message.times.findIndex((time) => time > last);
    if (first < 0) return;
    const high = message.high ?? message.low;
    // Where time is missing, or nothing was measured, the line ends.
    this.times.push(...message.times.slice(first));
    message.low.forEach((row, i) => this.low[i].push(...row.slice(first)));
    high.forEach((row, i) => this.high[i].push(...row.slice(first)));
    const from = this.times.at(-1) - KEPT_S;
    const old = this.times.findIndex((time) => time >= from);
    if (old > 0) {
      this.times.splice(0, old);
      for (const row of this.low) row.splice(0, old);
      for (const row of this.high) row.splice(0, old);
    }
  }

  mean(channel) {
    let sum = 0, count = 0;
    for (const value of this.low[channel]) if (value !== null) (sum += value), (count += 1);
    return count ? sum / count : NaN;
  }

  // Of the last second, from the mean of the minute.
  change(channel) {
    const low = this.low[channel], high = this.high[channel];
    let sum = 0, count = 0;
    for (let i = this.times.length - 1; i >= 0 && this.times[i] > this.times.at(-1) - 1.01; i -= 1) {
      if (low[i] !== null) (sum += (low[i] + high[i]) / 2), (count += 1);
    }
    return count ? sum / count - this.mean(channel) : NaN;
  }
}

const PREFIXES = [["", 1], ["m", 1e3], ["µ", 1e6], ["n", 1e9], ["p", 1e12]];

// A size that reads well: 1, 2 or 5 of some power of ten, with its unit.
export function roundScale(size, unit) {
  const power = 10 ** Math.floor(Math.log10(size));
  const round = [5, 2, 1].find((each) => each * power <= size) * power;
  if (unit === "percent") return [round, `${Number(round.toPrecision(2))} %`];
  if (!["mol/L", "V", "m"].includes(unit)) return [round, `${Number(round.toPrecision(2))}${unit === "1" ? "" : ` ${unit}`}`];
  const [prefix, factor] = PREFIXES.find((each) => round * each[1] >= 0.999) ?? PREFIXES.at(-1);
  return [round, `${Number((round * factor).toPrecision(2))} ${prefix}${unit}`];
}

// What may be drawn as current, and if nothing may, why. All that is drawn asks here.

// What is drawn stays until the next look: it must not become too old before.
export const LOOK_S = 0.2;

export function linkTrouble(link, clock) {
  if (!clock.trusted && clock.status === 401) return { why: "logged_out" };
  if (link.time !== null && link.silent()) return { why: "server", for: link.silence() };
  if (!clock.trusted || link.time === null) return { why: "checking" };
  if (!link.broker.connected) return { why: "broker", for: clock.server() - link.broker.since };
  return null;
}

// {current, why, for, label, probability, age, reasons}; a label only where it is current.
export function verdict(bed, trouble, now) {
  if (trouble) return { current: false, ...trouble };
  if (bed.state === "offline") return { current: false, why: "offline", for: sinceOf(bed, now) };
  if (bed.silent) return { current: false, why: "silent", for: bed.heard === null ? NaN : now - bed.heard };
  if (bed.state === null) return { current: false, why: "unknown" };
  if (bed.state !== "live") return { current: false, why: bed.state, for: sinceOf(bed, now) };
  const decision = bed.decision;
  if (!decision) return { current: false, why: "none" };
  if (decision.zero === null) return { current: false, why: "unproven" };
  const age = (now - decision.zero) * decision.speed;
  if (!(age + LOOK_S * decision.speed <= decision.limit)) {
    return { current: false, why: "old", age, limit: decision.limit };
  }
  return {
    current: true,
    why: decision.label === null ? "abstains" : "",
    age,
    label: decision.label,
    probability: decision.probability,
    reasons: decision.reasons,
  };
}

// Seconds since the session's state began, by the session's own clock; NaN where that is not known.
export function sinceOf(bed, now) {
  const since = Date.parse(bed.since) / 1000;
  return bed.offset === null || Number.isNaN(since) ? NaN : now - bed.offset - since;
}

// Smaller needs a look sooner.
export function need(bed, judged) {
  const open = bed.alarms.filter((alarm) => alarm.acknowledged_by === null);
  if (open.some((alarm) => alarm.priority === "high")) return 0;
  const ended = judged.why === "offline" && bed.reason === "session ended";
  if (ended) return 9;
  if (["silent", "offline", "unknown"].includes(judged.why)) return 1;
  if (["lost", "stalled"].includes(judged.why)) return 2;
  if (open.some((alarm) => alarm.priority === "medium")) return 3;
  if (judged.why === "old" || judged.why === "unproven" || judged.why === "policy") return 4;
  if (judged.why === "abstains" && !judged.reasons.every((each) => CALM.has(each))) return 5;
  if (open.length) return 5;
  if (judged.current) return 7;
  return 6;
}

const CALM = new Set(["undecided", "warming up"]);
export const LOOK_AT = 5;

// How a bed is, in words.
import { duration, reason, say } from "./words.js";

export function stateLine(bed, judged) {
  const word = judged.why === "silent" ? "silent" : (bed.state ?? "unknown");
  const line = say(`state_${["server", "broker", "checking", "logged_out"].includes(judged.why) ? "unknown" : word}`);
  return Number.isFinite(judged.for) && !["server", "broker"].includes(judged.why)
    ? `${line} ${say("for", { time: whole(judged.for) })}`
    : line;
}

export function whyLine(bed, judged) {
  switch (judged.why) {
    case "abstains":
      return judged.reasons.map(reason).join(", ");
    case "old":
      return say("why_old", { limit: duration(judged.limit) });
    case "none":
      return say(bed.decision === undefined && bed.trend.length ? "why_policy" : "why_none");
    case "unproven":
    case "server":
    case "broker":
    case "checking":
      return say(`why_${judged.why}`);
    case "logged_out":
      return say("logged_out");
    case "silent":
      return Number.isFinite(judged.for) ? say("silent_for", { time: whole(judged.for) }) : say("never_heard");
    default:
      return bed.reason || say("no_current");
  }
}

export function linkLine(trouble) {
  switch (trouble.why) {
    case "server":
      return say("server_silent", { time: Number.isFinite(trouble.for) ? whole(trouble.for) : "–" });
    case "broker":
      return say("broker_lost", { time: Number.isFinite(trouble.for) ? whole(trouble.for) : "–" });
    default:
      return say(trouble.why);
  }
}

// A time that goes on is counted in whole seconds: it does not flicker.
export function whole(seconds) {
  return seconds < 120 ? `${Math.floor(Math.max(0, seconds))} s` : duration(seconds);
}

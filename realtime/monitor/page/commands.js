// What a page may ask of a session: a marker, and that an alarm was seen.
import { duration, say, timeOfDay } from "./words.js";

const unanswered = new Map();

export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Send it; the sentence to show, null where it was done and there is nothing to say.
export async function command(path, me, wish) {
  const key = JSON.stringify([path, wish]);
  // What was sent and not answered goes out again under its old name, so it is done once.
  const id = unanswered.get(key) ?? newId();
  unanswered.set(key, id);
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Token": me.token },
      body: JSON.stringify({ ...wish, id }),
    });
  } catch {
    return say("event_unanswered");
  }
  if (response.status === 504) return say("event_unanswered");
  unanswered.delete(key);
  if (response.status === 401) return say("logged_out");
  if (response.status === 403) return say("event_refused", { reason: say("reason_not_allowed") });
  const answer = await response.json();
  if (!answer.ok) return say("event_refused", { reason: answer.reason === "silent" ? say("reason_silent") : answer.reason });
  if (path !== "/event") return null;
  const utc = Date.parse(answer.time_utc ?? "") / 1000;
  return say("event_written", {
    label: wish.label,
    time: Number.isNaN(utc) ? duration(answer.time) : timeOfDay(utc),
    uncertainty: answer.uncertainty_s === null ? "?" : duration(answer.uncertainty_s),
  });
}

// All words of the interface come from one file of the language that the browser asks for.

let words = {};

export async function readWords(languages = ["en"]) {
  const wanted = (navigator.languages ?? []).map((each) => each.toLowerCase().split("-")[0]);
  const language = wanted.find((each) => languages.includes(each)) ?? "en";
  words = await (await fetch(`/assets/words.${language}.json`)).json();
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = say(element.dataset.word);
  }
}

export function say(key, values = {}) {
  const sentence = Object.hasOwn(words, key) ? words[key] : key;
  return sentence.replace(/\{(\w+)\}/g, (all, name) => (Object.hasOwn(values, name) ? values[name] : all));
}

export function reason(text) {
  const key = `reason ${text}`;
  return Object.hasOwn(words, key) ? words[key] : text;
}

export function percent(share) {
  return share === null || share === undefined ? "–" : `${Math.round(share * 100)} %`;
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  const s = Math.max(0, seconds);
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.floor(s)} s`;
  if (s < 7200) return `${Math.floor(s / 60)} min`;
  if (s < 172800) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86400)} d`;
}

export function timeOfDay(utcSeconds) {
  if (!Number.isFinite(utcSeconds)) return "–";
  return new Date(utcSeconds * 1000).toLocaleTimeString(document.documentElement.lang, { hour12: false });
}

export function quantity(value, digits = 3) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))) : "–";
}

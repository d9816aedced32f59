// Colours that people who see fewer of them can tell apart.

// After Okabe and Ito; each is told by its place and its name as well.
const LABELS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c6d00", "#6c6c6c"];
const LABELS_DARK = ["#6bb6ea", "#f0894a", "#3ecfa4", "#e3a3c6", "#8fd0f5", "#f2bb4d", "#d5bd5a", "#b5b5b5"];

export function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function labelColour(labels, label) {
  const place = labels.indexOf(label);
  const colours = dark() ? LABELS_DARK : LABELS;
  return place < 0 ? colours[7] : colours[place % colours.length];
}

export const OXY = () => (dark() ? "#f0894a" : "#c44e00");
export const DEOXY = () => (dark() ? "#6bb6ea" : "#0068a6");

const LOW = [0, 90, 160];
const HIGH = [200, 90, 0];

// -1 .. 1 to blue .. grey .. orange, equally strong on both sides.
export function diverging(value) {
  if (!Number.isFinite(value)) return "none";
  const middle = dark() ? [74, 80, 86] : [222, 224, 226];
  const end = value < 0 ? LOW : HIGH;
  const lift = dark() ? end.map((each) => Math.min(255, each + 70)) : end;
  const share = Math.min(1, Math.abs(value)) ** 0.85;
  return `rgb(${middle.map((from, i) => Math.round(from + (lift[i] - from) * share)).join(" ")})`;
}

export function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

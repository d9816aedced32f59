// Dark or light: what the system says, until somebody chooses.
import { dark } from "./colours.js";
import { say } from "./words.js";

const KEY = "hemostream-theme";

export function theme(button, changed) {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
  const tell = () => (button.textContent = say(dark() ? "theme_light" : "theme_dark"));
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    localStorage.setItem(KEY, document.documentElement.dataset.theme);
    tell();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    tell();
    changed();
  });
  tell();
}

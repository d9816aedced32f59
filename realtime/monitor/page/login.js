// The door: its words, and what was wrong.
import { readWords, say } from "./words.js";

await readWords();
const wrong = document.getElementById("wrong");
if (wrong && new URLSearchParams(location.search).has("no")) {
  wrong.textContent = say("login_wrong");
  wrong.hidden = false;
}

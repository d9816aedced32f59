// The page: which view is open, the look at everything a few times a second, and what a sleep does to it.
import { BedView } from "./bed.js";
import { Clock } from "./clock.js";
import { attribute, show, text } from "./dom.js";
import { Link } from "./link.js";
import { Overview } from "./overview.js";
import { linkLine } from "./sentences.js";
import { Sound } from "./sound.js";
import { theme } from "./theme.js";
import { linkTrouble, LOOK_S } from "./truth.js";
import { readWords, say } from "./words.js";

const me = await (await fetch("/me")).json();
await readWords(me.languages);
const clock = new Clock((signal) => fetch("/now", { signal, cache: "no-store" }));
const content = document.getElementById("content");
const banner = document.getElementById("link");
const sound = new Sound(document.getElementById("sound"));
let view = null, link = null;

text(document.getElementById("visitor"), me.login ? me.name : "");
theme(document.getElementById("theme"), () => view.redraw?.());

function open() {
  link?.close();
  view?.close?.();
  const bed = location.hash.match(/^#\/bed\/(.+)$/);
  let name = null;
  try {
    name = bed ? decodeURIComponent(bed[1]) : null;
  } catch {
    name = null;
  }
  view = name === null ? new Overview(content) : new BedView(content, name, me);
  document.title = name === null ? say("title") : `${name} · ${say("title")}`;
  link = new Link(clock, name, (news) => {
    view.take(news);
    if (!document.hidden) look();
  });
  clock.tick();
  look();
}

function look() {
  const trouble = linkTrouble(link, clock);
  const state = trouble ? trouble.why : "fine";
  attribute(document.body, "data-link", state);
  show(banner, Boolean(trouble) && state !== "checking");
  text(banner, trouble ? linkLine(trouble) : "");
  view.look(trouble, clock.server(), clock.now(), link);
  sound.look(view, trouble);
}

// Whatever is shown when this page is looked at again was hidden as unknown first.
function away() {
  clock.doubt();
  look();
}

function back() {
  clock.doubt();
  look();
  clock.tick();
}

document.addEventListener("visibilitychange", () => (document.hidden ? away() : back()));
addEventListener("pagehide", away);
addEventListener("pageshow", back);
document.addEventListener("freeze", away);
document.addEventListener("resume", back);
addEventListener("hashchange", () => {
  open();
  content.focus({ preventScroll: true });
});
open();
setInterval(() => {
  clock.tick();
  look();
}, LOOK_S * 1000);

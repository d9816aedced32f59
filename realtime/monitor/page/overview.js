// Every bed a tile, those that need somebody first.
import { make, show, text } from "./dom.js";
import { need, LOOK_AT, verdict } from "./truth.js";
import { Tile } from "./tile.js";
import { say } from "./words.js";

const SORT_EVERY_S = 2;
const FILTERS = {
  all: () => true,
  need: (rank) => rank <= LOOK_AT,
  running: (rank) => rank < 9,
  ended: (rank) => rank === 9,
};

export class Overview {
  constructor(place) {
    this.beds = new Map();
    this.tiles = new Map();
    this.ranks = new Map();
    this.filter = "all";
    this.sorted = -Infinity;
    this.order = "";
    this.input = make("input", { type: "search", id: "search", placeholder: say("filter_label"), "aria-label": say("filter_label"), autocomplete: "off" });
    this.input.addEventListener("input", () => (this.sorted = -Infinity));
    this.buttons = Object.keys(FILTERS).map((name) =>
      make("button", { type: "button", "aria-pressed": String(name === "all"), "data-filter": name, onclick: () => this.choose(name) }, say(`filter_${name}`)),
    );
    this.count = make("p", { class: "count", role: "status" });
    this.refused = make("p", { class: "refused", hidden: true });
    this.empty = make("p", { class: "empty", hidden: true });
    this.list = make("ul", { class: "tiles", "aria-label": say("overview") });
    this.element = make(
      "section",
      { class: "overview" },
      make("h1", { class: "hidden" }, say("overview")),
      make("div", { class: "bar" }, make("div", { class: "chips", role: "group", "aria-label": say("filter_label") }, ...this.buttons), this.input, this.count),
      this.refused,
      this.empty,
      this.list,
    );
    place.replaceChildren(this.element);
  }

  choose(name) {
    this.filter = name;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.filter === name));
    this.sorted = -Infinity;
  }

  take(news) {
    if (news.whole) {
      const names = new Set(news.beds.map((bed) => bed.name));
      for (const [name, tile] of this.tiles) {
        if (names.has(name)) continue;
        tile.element.remove();
        this.tiles.delete(name);
        this.beds.delete(name);
        this.ranks.delete(name);
      }
    }
    for (const bed of news.beds) {
      this.beds.set(bed.name, bed);
      if (!this.tiles.has(bed.name)) {
        this.tiles.set(bed.name, new Tile(bed.name));
        this.sorted = -Infinity;
      }
    }
  }

  look(trouble, now, time, link) {
    for (const [name, bed] of this.beds) {
      const judged = verdict(bed, trouble, now);
      const rank = need(bed, judged);
      if (this.ranks.get(name) !== rank) {
        // What gets worse moves at once, what gets better waits its turn: the wall stays calm.
        if (!(this.ranks.get(name) < rank) && !trouble) this.sorted = -Infinity;
        if (!trouble || !this.ranks.has(name)) this.ranks.set(name, rank);
      }
      this.tiles.get(name).update(bed, judged, this.ranks.get(name));
    }
    if (time - this.sorted >= SORT_EVERY_S) this.sort(time);
    const refused = link.refused.beds ?? 0;
    show(this.refused, refused > 0);
    text(this.refused, say("beds_refused", { count: refused }));
  }

  sort(time) {
    this.sorted = time;
    const wanted = this.input.value.trim().toLowerCase();
    const names = [...this.beds.keys()].filter((name) => name.toLowerCase().includes(wanted) && FILTERS[this.filter](this.ranks.get(name)));
    const compare = new Intl.Collator(undefined, { numeric: true }).compare;
    names.sort((a, b) => this.ranks.get(a) - this.ranks.get(b) || compare(a, b));
    const order = JSON.stringify(names);
    if (order !== this.order) {
      this.order = order;
      this.arrange(names.map((name) => this.tiles.get(name).element));
    }
    const looks = [...this.ranks.values()].filter((rank) => rank <= LOOK_AT).length;
    const all = this.beds.size === 1 ? say("count_one") : say("count_all", { count: this.beds.size });
    text(this.count, looks ? `${all} · ${say("count_need", { count: looks })}` : all);
    show(this.empty, names.length === 0);
    text(this.empty, say(this.beds.size ? "beds_none_match" : "beds_none"));
  }

  // Move as few tiles as possible: a tile that has the focus keeps it where it stays.
  arrange(elements) {
    const kept = new Set(elements);
    for (const element of [...this.list.children]) if (!kept.has(element)) element.remove();
    elements.forEach((element, place) => {
      const there = this.list.children[place];
      if (there === element) return;
      const focused = element.contains(document.activeElement) ? document.activeElement : null;
      this.list.insertBefore(element, there ?? null);
      focused?.focus({ preventScroll: true });
    });
  }
}

// The stream of news, taken up again whenever it ends; and whether the server is still there.

const SILENT_AFTER_S = 1.5;
const AGAIN_MS = 1000;

export class Link {
  constructor(clock, name, take) {
    this.clock = clock;
    this.name = name;
    this.take = take;
    this.last = "";
    this.time = null;
    this.broker = { connected: false, since: null };
    this.refused = {};
    this.ended = false;
    this.open();
  }

  open() {
    const query = new URLSearchParams();
    if (this.name !== null) query.set("bed", this.name);
    if (this.last) query.set("last", this.last);
    this.source = new EventSource(`/events?${query}`);
    this.source.addEventListener("news", (event) => this.news(event));
    this.source.addEventListener("error", () => {
      if (this.source.readyState === EventSource.CLOSED && !this.ended) {
        setTimeout(() => this.ended || this.open(), AGAIN_MS);
      }
    });
  }

  news(event) {
    this.last = event.lastEventId;
    const news = JSON.parse(event.data);
    this.time = news.t;
    this.broker = news.broker;
    this.refused = news.refused;
    this.clock.heard(news.t);
    this.take(news);
  }

  // Seconds of server time since it last said anything; what is still on the way here counts.
  silence() {
    return this.time === null ? Infinity : this.clock.server() - this.time;
  }

  silent() {
    return !(this.silence() <= SILENT_AFTER_S);
  }

  close() {
    this.ended = true;
    this.source.close();
  }
}

// How late is it at the server? By this page's own clocks, none of which is believed alone.
//
// performance.now() never steps, but stands still while some machines sleep; Date.now() goes on, but may be set.
// What either says has gone by, has gone by. Where they differ, the server is asked: its answer was written after
// the question was sent, so its time plus what has gone by since the question is never too early.

const DIFFER_MS = 400;
const ASK_EVERY_S = 10;
const PATIENCE_MS = 2500;

export class Clock {
  constructor(ask) {
    this.ask = ask;
    this.base = 0;
    this.mono = performance.now();
    this.wall = Date.now();
    this.offset = null;
    this.trusted = false;
    this.asked = -Infinity;
    this.asking = 0;
    this.status = 0;
  }

  // Seconds since the page began, sleep included; never goes back.
  now() {
    const mono = performance.now() - this.mono;
    const wall = Date.now() - this.wall;
    if (Math.abs(wall - mono) > DIFFER_MS) {
      this.base += Math.max(mono, wall, 0);
      this.mono += mono;
      this.wall += wall;
      this.doubt();
      return this.base / 1000;
    }
    return (this.base + mono) / 1000;
  }

  // Latest that it can be at the server, s of its clock.
  server() {
    return this.offset === null ? Infinity : this.now() + this.offset;
  }

  // An event of the server says its time: it cannot be earlier there.
  heard(time) {
    const offset = time - this.now();
    if (this.offset !== null && offset > this.offset) this.offset = offset;
  }

  // Something happened (a sleep, a clock that was set, a tab that was away): nothing is known until it answers.
  doubt() {
    this.trusted = false;
    this.asked = -Infinity;
    this.asking += 1;
  }

  // To be called a few times a second.
  tick() {
    const now = this.now();
    if (now - this.asked >= (this.trusted ? ASK_EVERY_S : 1)) {
      this.asked = now;
      this.question();
    }
  }

  async question() {
    this.asking += 1;
    const mine = this.asking;
    const before = this.now();
    try {
      const answer = await this.ask(AbortSignal.timeout ? AbortSignal.timeout(PATIENCE_MS) : undefined);
      const after = this.now();
      if (mine !== this.asking) return;
      this.status = answer.status;
      if (!answer.ok) {
        this.trusted = false;
        return;
      }
      const time = (await answer.json()).t;
      const offset = time - before;
      // A slow answer says less than what is known already.
      if (!this.trusted || offset < this.offset || after - before < 0.25) this.offset = offset;
      this.trusted = true;
    } catch {
      this.status = 0;
    }
  }
}

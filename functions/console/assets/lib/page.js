/** What a page has while it is shown: its place, what it follows, and the end of it. */

import { resource } from "./store.js";

export class Page {
  /** @type {(() => void)[]} */
  ends = [];
  /** @type {(() => void)[]} */
  queries = [];

  /** @param {import("./router.js").Place} place */
  constructor(place) {
    this.place = place;
    this.query = place.query;
    this.parts = place.parts;
  }

  /**
   * Follows what a path answers, until the page is left or the result is called.
   * @param {string} path @param {(state: import("./store.js").State) => void} listener
   */
  use(path, listener) {
    const stop = resource(path).subscribe(listener);
    this.ends.push(stop);
    return stop;
  }

  /** Hears when only what is asked for at this place changes. @param {() => void} listener */
  onQuery(listener) {
    this.queries.push(listener);
  }

  /** @param {() => void} end */
  onEnd(end) {
    this.ends.push(end);
  }

  /** @param {import("./router.js").Place} place */
  moved(place) {
    this.place = place;
    this.query = place.query;
    for (const listener of this.queries) listener();
  }

  leave() {
    for (const end of this.ends.splice(0)) end();
    this.queries = [];
  }
}

/** What was fetched, once for all who show it, and kept fresh. */

import { send } from "./api.js";
import { fetchBy, learn } from "./names.js";

/** How often what is shown is asked for again: while something is pending, and otherwise. */
const SOON = 2_500;
const LATER = 15_000;
/** How many times as long as an answer took it is left alone: what is slow is not asked all the time. */
const REST = 4;
/** What is reckoned from much and changes slowly is asked for less often. */
const RARELY = 60_000;
const RECKONED = /\/(?:slots|overview|todo|comb|billing|reconciliation|stats|upcoming|capabilities|health|me)\b/;
/** Words of states that pass. */
const PENDING =
  /"(?:status|outcome)":"(?:requested|creating|pending|deleting|running|cancelling|registering|deregistering|dispatching|executing|approved|waiting)"/;

/** @typedef {{data: any, error: any, loading: boolean}} State */

export class Resource {
  /** @type {Set<(state: State) => void>} */
  listeners = new Set();
  /** @type {State} */
  state = { data: undefined, error: null, loading: false };
  text = "";
  askedAt = 0;
  /** How long the last answer took, in milliseconds. */
  took = 0;
  /** @type {Promise<void> | null} */
  under = null;

  /** @param {string} path */
  constructor(path) {
    this.path = path;
  }

  /** Hears of each change, and now if there is something. @param {(state: State) => void} listener */
  subscribe(listener) {
    this.listeners.add(listener);
    listener(this.state);
    if (Date.now() - this.askedAt > 1_000) this.refresh();
    return () => {
      this.listeners.delete(listener);
    };
  }

  refresh() {
    this.under ??= this.load().finally(() => {
      this.under = null;
    });
    return this.under;
  }

  async load() {
    this.askedAt = Date.now();
    const first = this.state.data === undefined;
    if (first) this.tell({ ...this.state, loading: true });
    try {
      const { text } = await send("GET", this.path);
      if (text === this.text && !this.state.error) {
        if (first) this.tell({ ...this.state, loading: false });
        return;
      }
      this.text = text;
      const data = JSON.parse(text);
      learn(data);
      this.tell({ data, error: null, loading: false });
    } catch (error) {
      this.tell({ data: this.state.data, error, loading: false });
    } finally {
      this.took = Date.now() - this.askedAt;
    }
  }

  /** @param {State} state */
  tell(state) {
    this.state = state;
    for (const listener of this.listeners) {
      try {
        listener(state);
      } catch (error) {
        // What one part of a page cannot show keeps no other part from it.
        reportError(error);
      }
    }
  }

  get due() {
    const calm = RECKONED.test(this.path) ? RARELY : LATER;
    const wait = this.state.error || (calm === LATER && PENDING.test(this.text)) ? SOON : calm;
    return Date.now() - this.askedAt >= Math.max(wait, Math.min(this.took * (REST + 1), RARELY));
  }
}

/** @type {Map<string, Resource>} */
const resources = new Map();

/** The resource of a path; the same for everybody. @param {string} path */
export function resource(path) {
  let found = resources.get(path);
  if (!found) {
    found = new Resource(path);
    resources.set(path, found);
    // What nobody has looked at for long is fetched anew when somebody does.
    if (resources.size > 300) forget();
  }
  return found;
}

function forget() {
  for (const [path, each] of resources) {
    if (each.listeners.size === 0) resources.delete(path);
  }
}

/** Everything that is shown, asked for again at once: after an action of one's own, or by hand. */
export async function refreshShown() {
  const shown = [...resources.values()].filter((each) => each.listeners.size > 0);
  for (const each of resources.values()) {
    if (each.listeners.size === 0) each.askedAt = 0;
  }
  await Promise.all(shown.map((each) => each.refresh()));
}

/** Forgets everything, when somebody else looks. */
export function forgetAll() {
  for (const each of resources.values()) {
    each.text = "";
    each.askedAt = 0;
    each.state = { data: undefined, error: null, loading: false };
  }
}

fetchBy((path) => resource(path).refresh());

setInterval(() => {
  if (document.hidden) return;
  for (const each of resources.values()) {
    if (each.listeners.size > 0 && each.due) each.refresh();
  }
}, 1_000);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refreshShown();
});

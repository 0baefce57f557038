/** A list of the API, followed: its pages go on by cursor. */

import { ask, withQuery } from "./api.js";
import { fill, h } from "./dom.js";
import { empty, skeleton, trouble } from "./parts.js";
import { resource } from "./store.js";
import { table } from "./table.js";

/**
 * A list that is followed.
 * @param {import("./page.js").Page} page
 * @param {{path: () => string, columns: import("./table.js").Column[], key: (item: any) => string, caption: string, none: () => Node,
 *   mark?: (item: any) => string, onitems?: (items: any[]) => void, items?: (data: any) => any[]}} options
 */
export function list(page, options) {
  const { element, update } = table(options);
  const foot = h("div", { class: "foot" });
  const problem = h("div");
  const loading = h("div");
  const whole = h("div", { class: "listing" }, problem, element, loading, foot);
  const itemsOf = options.items ?? ((/** @type {any} */ data) => data?.items ?? []);
  /** @type {any[]} */
  let more = [];
  let path = "";
  /** @type {string | null | undefined} */
  let cursor;
  /** @type {any[]} */
  let first = [];
  /** @type {null | (() => void)} */
  let stop = null;

  function follow() {
    const wanted = options.path();
    if (wanted === path) return;
    stop?.();
    [path, more, cursor] = [wanted, [], undefined];
    stop = page.use(wanted, render);
  }

  /** @param {import("./store.js").State} state */
  function render(state) {
    fill(problem, state.error && trouble(state.error, () => resource(path).refresh()));
    if (state.data === undefined) {
      element.hidden = true;
      fill(foot);
      fill(loading, state.loading && skeleton(6));
      return;
    }
    fill(loading);
    const before = first;
    first = itemsOf(state.data);
    if (more.length === 0) cursor = state.data.next_cursor;
    else more = [...pushedOut(before), ...more];
    show();
  }

  /** What new items have pushed out of the first page stands before the second now. @param {any[]} before */
  function pushedOut(before) {
    const last = first.at(-1);
    const at = before.findIndex((item) => last && options.key(item) === options.key(last));
    return at < 0 ? [] : before.slice(at + 1);
  }

  function show() {
    const seen = new Set(first.map(options.key));
    const items = [...first, ...more.filter((item) => !seen.has(options.key(item)))];
    element.hidden = items.length === 0;
    update(items);
    options.onitems?.(items);
    fill(
      foot,
      items.length === 0 && !cursor && options.none(),
      items.length > 0 && h("span", { class: "faint" }, cursor ? `${items.length} shown` : `All ${items.length} shown`),
      cursor &&
        h(
          "button",
          {
            type: "button",
            class: "button",
            id: `more-${options.caption.replaceAll(" ", "-")}`,
            onclick: next,
          },
          items.length ? "Show more" : "Nothing yet: look further",
        ),
    );
  }

  /** @param {Event} event */
  async function next(event) {
    const asked = path;
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    button.disabled = true;
    try {
      const answer = await ask("GET", withQuery(path, { cursor }));
      if (asked !== path) return;
      more = [...more, ...itemsOf(answer)];
      cursor = answer.next_cursor;
      show();
    } catch (error) {
      fill(problem, trouble(error));
      button.disabled = false;
    }
  }

  page.onQuery(follow);
  follow();
  return whole;
}

/** @param {string} what @param {boolean} filtered @param {() => Node} otherwise */
export function nothing(what, filtered, otherwise) {
  return filtered ? empty(`No ${what} like this`, "Take a filter away, or search for something else.") : otherwise();
}

/** A list of the API: filters, a table that becomes cards on a narrow screen, pages by cursor. */

import { ask, withQuery } from "./api.js";
import { fill, h, keyed } from "./dom.js";
import { debounced } from "./dialog.js";
import { empty, skeleton, trouble } from "./parts.js";
import { setQuery } from "./router.js";
import { resource } from "./store.js";

/**
 * @typedef {Object} Column
 * @property {string} name
 * @property {(item: any) => import("./dom.js").Child} show
 * @property {string} [kind] `number`, `wide`, `actions`
 */

/**
 * A table by itself. Call the result's `update` with the items.
 * @param {{caption: string, columns: Column[], key: (item: any) => string, mark?: (item: any) => string}} options
 */
export function table({ caption, columns, key, mark }) {
  const body = h("tbody");
  const element = h(
    "table",
    { class: "list" },
    h("caption", { class: "unseen" }, caption),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        columns.map((column) => h("th", { scope: "col", class: column.kind }, column.name)),
      ),
    ),
    body,
  );
  /** @param {any} item */
  const row = (item) =>
    h(
      "tr",
      { class: mark?.(item) },
      columns.map((column, at) =>
        h(
          at === 0 ? "th" : "td",
          {
            scope: at === 0 ? "row" : null,
            "data-label": column.name,
            class: column.kind,
          },
          h("div", { class: "cell" }, column.show(item)),
        ),
      ),
    );
  /** @param {any[]} items */
  const update = (items) => keyed(body, items, key, row);
  return {
    element: h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, element),
    update,
  };
}

/**
 * A list that is followed.
 * @param {import("./page.js").Page} page
 * @param {{path: () => string, columns: Column[], key: (item: any) => string, caption: string, none: () => Node,
 *   mark?: (item: any) => string, onitems?: (items: any[]) => void, items?: (data: any) => any[]}} options
 */
export function list(page, options) {
  const { element, update } = table(options);
  const foot = h("div", { class: "foot" });
  const problem = h("div");
  const whole = h("div", { class: "listing" }, problem, element, foot);
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
      fill(foot, state.loading && skeleton(6));
      return;
    }
    first = itemsOf(state.data);
    if (more.length === 0) cursor = state.data.next_cursor;
    show();
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

  async function next() {
    try {
      const answer = await ask("GET", withQuery(path, { cursor }));
      more = [...more, ...itemsOf(answer)];
      cursor = answer.next_cursor;
      show();
    } catch (error) {
      fill(problem, trouble(error));
    }
  }

  page.onQuery(follow);
  follow();
  return whole;
}

/**
 * Filters that are part of the address.
 * @param {import("./page.js").Page} page
 * @param {{search?: string, selects?: {name: string, label: string, options: [string, string][]}[], more?: import("./dom.js").Child}} options
 */
export function filters(page, { search, selects = [], more }) {
  /** @type {Record<string, HTMLInputElement | HTMLSelectElement>} */
  const inputs = {};
  const later = debounced((/** @type {string} */ text) => setQuery({ q: text }));
  if (search) {
    inputs.q = h("input", {
      type: "search",
      placeholder: search,
      "aria-label": search,
      maxlength: 100,
      oninput: (/** @type {any} */ event) => later(event.target.value),
    });
  }
  for (const { name, label, options } of selects) {
    inputs[name] = h(
      "select",
      {
        "aria-label": label,
        onchange: (/** @type {any} */ event) => setQuery({ [name]: event.target.value }, { step: true }),
      },
      h("option", { value: "" }, label),
      options.map(([value, text]) => h("option", { value }, text)),
    );
  }
  const clear = h(
    "button",
    {
      type: "button",
      class: "button quiet",
      onclick: () => setQuery(Object.fromEntries(Object.keys(inputs).map((name) => [name, ""])), { step: true }),
    },
    "Clear",
  );
  const sync = () => {
    for (const [name, input] of Object.entries(inputs)) {
      if (document.activeElement !== input) input.value = page.query[name] ?? "";
    }
    clear.hidden = !Object.keys(inputs).some((name) => page.query[name]);
  };
  page.onQuery(sync);
  sync();
  return h("div", { class: "filters", role: "search" }, Object.values(inputs), clear, more);
}

/** @param {string} what @param {boolean} filtered @param {() => Node} otherwise */
export function nothing(what, filtered, otherwise) {
  return filtered ? empty(`No ${what} like this`, "Take a filter away, or search for something else.") : otherwise();
}

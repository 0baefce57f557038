/** A table that becomes cards on a narrow screen. */

import { h, keyed } from "./dom.js";

/**
 * @typedef {Object} Column
 * @property {string} name
 * @property {(item: any) => import("./dom.js").Child} show
 * @property {string} [kind] `number`, `wide`, `short`, `actions`; with `spare` it goes while something is shown beside
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

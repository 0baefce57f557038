/** Filters that are part of the address. */

import { debounced } from "./fields.js";
import { h } from "./dom.js";
import { setQuery } from "./router.js";

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

/** Fields of forms. */

import { h } from "./dom.js";

let fields = 0;

/**
 * A labelled field.
 * @param {string} label @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input @param {import("./dom.js").Child} [note]
 */
export function field(label, input, note) {
  input.id ||= `field-${(fields += 1)}`;
  const about = note ? h("span", { class: "note", id: `${input.id}-note` }, note) : null;
  if (about) input.setAttribute("aria-describedby", about.id);
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input, about);
}

/** @param {[string, string][]} options @param {string} [value] @param {Record<string, any>} [attributes] */
export function select(options, value, attributes = {}) {
  const element = h(
    "select",
    attributes,
    options.map(([name, text]) => h("option", { value: name, selected: name === value }, text)),
  );
  return element;
}

/** @param {string} name @param {[string, import("./dom.js").Child, import("./dom.js").Child?][]} options @param {string} value @param {(value: string) => void} change */
export function choice(name, options, value, change) {
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", null, name),
    options.map(([key, text, note]) =>
      h(
        "label",
        { class: "option" },
        h("input", {
          type: "radio",
          name,
          value: key,
          checked: key === value,
          onchange: () => change(key),
        }),
        h("span", null, h("strong", null, text), note && h("span", { class: "note" }, note)),
      ),
    ),
  );
}

/** Calls `act` once typing has paused. @param {(...them: any[]) => void} act @param {number} [wait] */
export function debounced(act, wait = 300) {
  /** @type {any} */
  let timer = 0;
  return (/** @type {any[]} */ ...them) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...them), wait);
  };
}

/** Dialogs: the platform's own, with one way to run what they are for. */

import { h, fill } from "./dom.js";
import { trouble } from "./parts.js";
import { refreshShown } from "./store.js";

/**
 * @typedef {Object} Plan
 * @property {string} title
 * @property {import("./dom.js").Child} body
 * @property {string} act what the button says
 * @property {string} [acting] what it says while it runs
 * @property {string} [tone]
 * @property {import("./dom.js").Child} [extra] further buttons on the left
 * @property {() => Promise<any>} run
 * @property {() => boolean} [ready] whether it may be run
 * @property {boolean} [wide]
 */

/** Opens a dialog; comes back with what was done, or null. @param {Plan} plan @returns {Promise<any>} */
export function open(plan) {
  const problem = h("div", { class: "problem" });
  const act = h("button", { type: "submit", class: `button ${plan.tone ?? "primary"}` }, plan.act);
  const cancel = h("button", { type: "button", class: "button", onclick: () => element.close() }, "Cancel");
  /** @type {any} */
  let outcome = null;
  let running = false;
  const form = h(
    "form",
    { onsubmit: submit, oninput: check, onchange: check },
    h(
      "header",
      null,
      h("h2", { id: "dialog-title" }, plan.title),
      h(
        "button",
        {
          type: "button",
          class: "close",
          "aria-label": "Close",
          onclick: () => element.close(),
        },
        "×",
      ),
    ),
    h("div", { class: "body" }, plan.body, problem),
    h("footer", null, h("div", { class: "row grow" }, plan.extra), cancel, act),
  );
  const element = h("dialog", { class: plan.wide ? "wide" : "", "aria-labelledby": "dialog-title" }, form);

  function check() {
    const ready = !running && (plan.ready?.() ?? true);
    act.disabled = !ready;
  }

  /** @param {Event} event */
  async function submit(event) {
    event.preventDefault();
    if (running || !(plan.ready?.() ?? true)) return;
    running = true;
    check();
    fill(problem);
    fill(act, h("span", { class: "spinner", "aria-hidden": "true" }), plan.acting ?? "Working…");
    try {
      outcome = (await plan.run()) ?? true;
      element.close();
      refreshShown();
    } catch (error) {
      fill(problem, trouble(error));
      fill(act, plan.act);
    } finally {
      running = false;
      check();
    }
  }

  document.body.append(element);
  element.addEventListener("dialog:check", check);
  element.addEventListener("click", (event) => {
    if (event.target === element && !running) element.close();
  });
  element.addEventListener("cancel", (event) => {
    if (running) event.preventDefault();
  });
  return new Promise((resolve) => {
    element.addEventListener("close", () => {
      element.remove();
      resolve(outcome);
    });
    element.showModal();
    check();
  });
}

/** Has the dialog around `inside` look again whether it may be run. @param {Element} inside */
export function recheck(inside) {
  inside.closest("dialog")?.dispatchEvent(new Event("dialog:check"));
}

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

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
 * @property {string} [leave] what the button says that closes it, instead of "Cancel"
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
  const cancel = h("button", { type: "button", class: "button", onclick: () => element.close() }, plan.leave ?? "Cancel");
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

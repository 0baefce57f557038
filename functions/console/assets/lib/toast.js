/** Short notices, with a way to undo where there is one. */

import { h } from "./dom.js";

/** @type {HTMLElement | null} */
let place = null;

/**
 * @param {string} text
 * @param {{tone?: string, action?: string, act?: () => void, seconds?: number}} [options]
 */
export function toast(text, options = {}) {
  place ??= /** @type {HTMLElement} */ (document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" })));
  // Above an open dialog, which is above all else.
  const dialog = document.querySelector("dialog[open]");
  (dialog ?? document.body).append(place);
  const box = h("div", { class: `toast ${options.tone ?? ""}` }, h("span", null, text));
  const close = () => box.remove();
  if (options.action) {
    const act = options.act ?? close;
    box.append(h("button", { type: "button", class: "button", onclick: () => (close(), act()) }, options.action));
  }
  box.append(
    h(
      "button",
      {
        type: "button",
        class: "close",
        "aria-label": "Dismiss",
        onclick: close,
      },
      "×",
    ),
  );
  place.append(box);
  setTimeout(close, (options.seconds ?? (options.action ? 15 : 5)) * 1000);
}

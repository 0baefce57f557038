/** ⌘K or /: takes any id, or a name. */

import { debounced } from "./fields.js";
import { fill, h } from "./dom.js";
import { go } from "./router.js";
import { byForm, search } from "./search.js";

const PAGES = ["overview", "snapshots", "instances", "schedules", "sweeps", "restores", "account", "money", "audit", "settings"];

/** @typedef {import("./search.js").Found} Found */

let isOpen = false;

export function openPalette() {
  if (isOpen) return;
  isOpen = true;
  const results = h("ul", {
    id: "palette-results",
    role: "listbox",
    "aria-label": "Found",
  });
  const note = h("p", { class: "note", role: "status" }, "An id of any kind, or part of a name.");
  const input = h("input", {
    type: "search",
    role: "combobox",
    "aria-label": "Find an id or a name",
    "aria-controls": "palette-results",
    "aria-expanded": "true",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "i-…  snap-…  snp_…  or a name",
  });
  const element = h("dialog", { class: "palette", "aria-label": "Find" }, input, results, note);
  /** @type {Found[]} */
  let found = [];
  let at = 0;

  function show() {
    fill(
      results,
      found.map((each, index) =>
        h(
          "li",
          {
            role: "option",
            id: `found-${index}`,
            "aria-selected": String(index === at),
            onclick: () => choose(index),
          },
          h("bdi", null, each.name),
          h("span", { class: "faint" }, each.kind),
        ),
      ),
    );
    input.setAttribute("aria-activedescendant", found.length ? `found-${at}` : "");
  }

  /** @param {number} index */
  function choose(index) {
    const chosen = found[index];
    if (!chosen) return;
    element.close();
    go(chosen.href);
  }

  const ask = debounced(async (/** @type {string} */ text) => {
    try {
      const more = await search(text);
      if (input.value.trim() !== text) return;
      const known = new Set(found.map((each) => each.href));
      found = [...found, ...more.filter((each) => !known.has(each.href))];
      note.textContent = found.length ? "Enter opens, arrows choose." : "Nothing is called so.";
    } catch {
      note.textContent = found.length ? "Enter opens." : "Names cannot be searched just now.";
    }
    show();
  }, 200);

  input.addEventListener("input", () => {
    const text = input.value.trim();
    at = 0;
    found = [
      ...byForm(text),
      ...PAGES.filter((name) => text && name.startsWith(text.toLowerCase())).map((name) => ({
        name,
        kind: "page",
        href: name === "overview" ? "#/" : `#/${name}`,
      })),
    ];
    show();
    if (text.length > 1) ask(text);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") at = Math.min(at + 1, found.length - 1);
    else if (event.key === "ArrowUp") at = Math.max(at - 1, 0);
    else if (event.key === "Enter") choose(at);
    else return;
    event.preventDefault();
    show();
  });
  element.addEventListener("click", (event) => event.target === element && element.close());
  element.addEventListener("close", () => {
    isOpen = false;
    element.remove();
  });
  document.body.append(element);
  element.showModal();
}

addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
  const wanted = (event.key === "k" && (event.metaKey || event.ctrlKey)) || (event.key === "/" && !typing && !event.metaKey && !event.ctrlKey);
  if (!wanted || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  openPalette();
});

/** ⌘K or /: takes any id, or a name. */

import { ask, withQuery } from "./api.js";
import { debounced } from "./dialog.js";
import { fill, h } from "./dom.js";
import { go, link } from "./router.js";

const PAGES = ["overview", "snapshots", "instances", "schedules", "sweeps", "restores", "account", "money", "audit", "settings"];

/** @typedef {{name: string, kind: string, href: string}} Found */

/** What an id is by its form alone. @param {string} text @returns {Found[]} */
export function byForm(text) {
  /** @type {[RegExp, string, (id: string) => string][]} */
  const forms = [
    [/^i-[0-9a-f]{8,17}$/, "instance", (id) => link(`/instances/${id}`)],
    [/^snp_[0-9a-f-]{36}$/, "snapshot", (id) => link(`/snapshots/${id}`)],
    [/^sch_[0-9a-f-]{36}$/, "schedule", (id) => link(`/schedules/${id}`)],
    [/^rst_[0-9a-f-]{36}$/, "restore", (id) => link(`/restores/${id}`)],
    [/^swp_[0-9a-f-]{36}$/, "sweep", (id) => link(`/sweeps/${id}`)],
    [/^img_[0-9a-f-]{36}$/, "image", (id) => link("/audit", { resource_id: id })],
    [/^(snap|vol)-[0-9a-f]{8,17}$/, "EBS snapshot or volume", (id) => link("/account", { q: id })],
    [/^ami-[0-9a-f]{8,17}$/, "AMI", (id) => link("/account", { q: id })],
  ];
  return forms.filter(([form]) => form.test(text)).map(([, kind, href]) => ({ name: text, kind, href: href(text) }));
}

/** @param {any} item @returns {Found} */
function answer(item) {
  const places = /** @type {Record<string, string>} */ ({
    instance: "instances",
    snapshot: "snapshots",
    schedule: "schedules",
    restore: "restores",
    sweep: "sweeps",
  });
  const place = places[item.type];
  return {
    name: item.name || item.id,
    kind: `${item.type} ${item.id}`,
    href: place ? link(`/${place}/${item.id}`) : link("/account", { q: item.id }),
  };
}

/** @param {string} text @returns {Promise<Found[]>} */
async function search(text) {
  const found = await ask("GET", withQuery("/v1/search", { q: text }));
  return (found.items ?? []).map(answer);
}

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

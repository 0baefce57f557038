/** Names with their ids, which lead to what they name and can be copied. */

import { h } from "./dom.js";
import { humane, shortened } from "./format.js";
import { nameOf } from "./names.js";
import { link } from "./router.js";
import { toast } from "./toast.js";

/** A name, then the id, never the id alone. @param {string | null | undefined} name @param {string} id @param {string} [href] */
export function named(name, id, href) {
  const shown = name || "no name";
  return h(
    "span",
    { class: "named" },
    href ? h("a", { href, class: "name", dir: "auto" }, shown) : h("bdi", { class: "name" }, shown),
    identifier(id),
  );
}

/** An id that a click copies. @param {string} id */
export function identifier(id) {
  const short = /^(snp|sch|rst|swp|img)_/.test(id) ? `${id.slice(0, 4)}…${id.slice(-6)}` : id;
  return h(
    "button",
    {
      type: "button",
      class: "id",
      "data-tip": `Copy ${id}`,
      "aria-description": `Copies ${id}`,
      onclick: () => copy(id),
    },
    short,
  );
}

/** @param {string} text @param {string} [what] */
export async function copy(text, what = text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied: ${what}`);
  } catch {
    toast("The browser does not let this page copy.", { tone: "bad" });
  }
}

/** @param {string} id @param {string | null | undefined} [name] */
export const instanceLink = (id, name) => known(id, name, link(`/instances/${id}`));

/** @param {string} id @param {string | null | undefined} [name] */
export const snapshotLink = (id, name) => named(name, id, link(`/snapshots/${id}`));

/** @param {string} id @param {string | null | undefined} [name] */
export const scheduleLink = (id, name) => known(id, name, link(`/schedules/${id}`));

/** What has a name that may be learnt later. @param {string} id @param {string | null | undefined} name @param {string} href */
function known(id, name, href) {
  const shown = name ?? nameOf(id);
  return h("span", { class: "named" }, h("a", { href, class: "name", dir: "auto", "data-name-of": id }, shown ?? "no name"), identifier(id));
}

/** Who asked for something: a person, or a schedule by its name. @param {string} who */
export function whoLink(who) {
  const schedule = /^schedule (sch_[0-9a-f-]{36})$/.exec(who);
  return schedule ? scheduleLink(schedule[1]) : h("bdi", null, who);
}

/** A text of the API that names things by their ids, with what they are called: names that are learnt later come then. @param {string} text */
export function told(text) {
  return text.split(/\b(sch_[0-9a-f-]{36}|i-[0-9a-f]{17}(?: \([^()]+\))?)/).map((part, at) => {
    if (at % 2 === 0) return humane(part);
    const [id, name] = part.split(/ \((.+)\)$/);
    return h("bdi", { "data-name-of": name ? null : id, "data-tip": id }, name ?? nameOf(id) ?? shortened(id));
  });
}

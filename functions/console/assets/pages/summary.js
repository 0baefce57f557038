/** A snapshot in a drawer: enough to decide. */

import { h } from "../lib/dom.js";
import { allDeeds } from "../lib/deeds.js";
import { follow } from "../lib/follow.js";
import { bytes, capital, gib, humane, spelt, time, words } from "../lib/format.js";
import { identifier, instanceLink } from "../lib/ids.js";
import { badge } from "../lib/marks.js";
import { empty, facts } from "../lib/parts.js";
import { link } from "../lib/router.js";

/** @param {import("../lib/page.js").Page} page @param {string} id @param {() => void} close */
export function summary(page, id, close) {
  return h(
    "div",
    { class: "section drawer" },
    h(
      "header",
      null,
      h("h2", null, "Chosen"),
      h(
        "button",
        {
          type: "button",
          class: "close",
          "aria-label": "Close",
          onclick: close,
        },
        "×",
      ),
    ),
    follow(
      page,
      `/v1/snapshots/${id}`,
      (snapshot) =>
        h(
          "div",
          { class: "stack" },
          h("div", null, h("h3", { dir: "auto" }, snapshot.name), identifier(snapshot.id)),
          badge(snapshot.status),
          allDeeds(snapshot),
          facts(basics(snapshot)),
          snapshot.description && h("p", { dir: "auto" }, snapshot.description),
          fateText(snapshot),
          h("a", { href: link(`/snapshots/${snapshot.id}`) }, "All of it"),
        ),
      {
        missing: () => empty("It is not here any more", "Somebody has removed its record."),
      },
    ),
  );
}

/** @param {any} snapshot @returns {[string, import("../lib/dom.js").Child][]} */
export function basics(snapshot) {
  return [
    ["Instance", instanceLink(snapshot.instance_id, snapshot.instance_name)],
    ["Created", time(snapshot.created_at, "both")],
    ["Size of its volumes", gib(snapshot.size_gib)],
    ["All their data", bytes(snapshot.full_size_bytes)],
    ["Where", snapshot.zone ?? snapshot.region],
    ["Used by an image", snapshot.ami_ids.length ? `yes: ${snapshot.ami_ids.join(", ")}` : "no"],
  ];
}

/** @param {any} snapshot */
export function fateText(snapshot) {
  const known = snapshot.fate;
  if (!known) return null;
  return h(
    "div",
    { class: "stack" },
    h(
      "p",
      null,
      known.expected_deletion_at ? ["Goes ", time(known.expected_deletion_at, "both"), ". "] : known.outlook === "never" ? "Stays. " : "",
      capital(humane(known.because)),
    ),
    known.kept_by.length > 0 &&
      h(
        "div",
        { class: "row", "aria-label": "Kept by" },
        known.kept_by.map((/** @type {string} */ reason) => badge("calm", `kept: ${spelt(humane(words(reason)))}`)),
      ),
  );
}

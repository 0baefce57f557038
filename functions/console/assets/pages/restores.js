/** What is being restored, and what was? */

import { withQuery } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { capital, humane, stamp, words } from "../lib/format.js";
import { head } from "../lib/head.js";
import { filters } from "../lib/filters.js";
import { list, nothing } from "../lib/list.js";
import { identifier, instanceLink, whoLink } from "../lib/ids.js";
import { badge } from "../lib/marks.js";
import { curlButton, empty } from "../lib/parts.js";
import { link } from "../lib/router.js";
import { said } from "../lib/said.js";
import { STEPS } from "../pictures/rail.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const path = () =>
    page.query.show === "left"
      ? "/v1/snapshots/review"
      : withQuery("/v1/restores", {
          status: page.query.status,
          instance_id: page.query.instance_id,
          snapshot_id: page.query.snapshot_id,
          limit: 50,
        });
  return h(
    "div",
    { class: "page" },
    head("Restores and drills", {
      note: "What will be done, how far is it, and how do I get back?",
      tools: curlButton("GET", path),
    }),
    filters(page, {
      selects: [
        {
          name: "status",
          label: "Any status",
          options: ["requested", "running", "done", "failed", "cancelling", "cancelled"].map((word) => [word, word]),
        },
        { name: "show", label: "All, or only…", options: [["left", "what has left something behind"]] },
      ],
    }),
    list(page, {
      path,
      caption: "Restores and drills",
      key: (item) => item.id ?? `${item.restore_id} ${item.left}`,
      items: itemsOf,
      none: () =>
        nothing("restores", Boolean(page.query.status || page.query.show), () =>
          empty(
            "No restore yet",
            "Choose a snapshot: a restore into new volumes touches nothing.",
            h(
              "a",
              {
                class: "button",
                href: link("/snapshots", { status: "available" }),
              },
              "To the snapshots",
            ),
          ),
        ),
      columns: [
        {
          name: "Restore",
          show: (item) =>
            h(
              "span",
              { class: "named" },
              h("a", { class: "name", href: link(`/restores/${item.id ?? item.restore_id}`) }, item.mode ? capital(words(item.mode)) : "The restore"),
              identifier(item.id ?? item.restore_id),
            ),
        },
        {
          name: "Of",
          show: (item) =>
            h(
              "div",
              null,
              item.snapshot_id && h("a", { href: link(`/snapshots/${item.snapshot_id}`), dir: "auto" }, item.snapshot_name),
              h("div", null, instanceLink(item.instance_id, item.instance_name)),
            ),
        },
        { name: "Status", show: (item) => (item.left ? badge("warn", item.left) : badge(item.status)) },
        {
          name: "How far",
          kind: "wide",
          show: (item) =>
            item.left
              ? capital(said(humane(item.why)))
              : h(
                  "div",
                  { class: "progress" },
                  ["running", "requested", "cancelling"].includes(item.status) &&
                    h("progress", {
                      max: 100,
                      value: item.progress.percent,
                      "aria-label": "Progress",
                    }),
                  item.status !== "done" && h("span", null, progressText(item)),
                ),
        },
        { name: "Begun", kind: "short", show: (item) => (item.created_at ? stamp(item.created_at) : "–") },
        { name: "By", show: (item) => (item.requested_by ? whoLink(item.requested_by) : "–") },
      ],
    }),
  );
}

/** What each list of the review is called. @type {[string, string][]} */
const LEFT = [
  ["stopped_restores", "stopped"],
  ["old_volumes_due", "old volumes may go"],
  ["kept_images", "keeps an image"],
];

/** The items of an answer; those of the review are in several lists. @param {any} answer */
function itemsOf(answer) {
  return answer.items ?? LEFT.flatMap(([name, left]) => answer[name].items.map((/** @type {any} */ item) => ({ ...item, left })));
}

/** What it does now, or why it has stopped. @param {any} item */
function progressText({ failure, progress }) {
  if (failure) return said(failure.message);
  return said(progress.text).replace(/[a-z]+(_[a-z]+)*$/, (name) => (STEPS[name] ?? words(name)).toLowerCase());
}

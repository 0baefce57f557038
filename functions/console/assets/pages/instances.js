/** What is protected? */

import { withQuery } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { gib, humane, span, time } from "../lib/format.js";
import { head } from "../lib/head.js";
import { filters } from "../lib/filters.js";
import { list, nothing } from "../lib/list.js";
import { instanceLink, scheduleLink } from "../lib/ids.js";
import { badge } from "../lib/marks.js";
import { button, curlButton, empty } from "../lib/parts.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const path = () => {
    const { q, protection, eligible, state, region } = page.query;
    return withQuery("/v1/instances", {
      q,
      protection,
      eligible,
      state,
      region,
      limit: 100,
    });
  };
  return h(
    "div",
    { class: "page" },
    head("Instances", {
      note: "What is protected, and what happened to each?",
      tools: curlButton("GET", path),
    }),
    filters(page, {
      search: "Name or id",
      selects: [
        {
          name: "protection",
          label: "Any protection",
          options: [
            ["ok", "ok"],
            ["late", "late"],
            ["unprotected", "unprotected"],
          ],
        },
        {
          name: "eligible",
          label: "Eligible or not",
          options: [
            ["true", "eligible"],
            ["false", "not eligible"],
          ],
        },
        {
          name: "state",
          label: "Any state",
          options: ["running", "stopped", "terminated"].map((word) => [word, word]),
        },
      ],
    }),
    list(page, {
      path,
      caption: "Instances",
      key: (item) => item.id,
      none: () =>
        nothing("instances", Object.keys(page.query).length > 0, () => empty("No instances", "EC2 shows none in the regions that are looked after.")),
      columns: [
        { name: "Instance", show: (item) => instanceLink(item.id, item.name) },
        {
          name: "State",
          show: (item) => badge(item.state === "running" ? "ok" : item.state, item.state),
        },
        {
          name: "Protection",
          kind: "wide",
          show: (item) => h("div", { class: "clip" }, badge(item.protection.status), h("div", { class: "note" }, shortly(item.protection))),
        },
        {
          name: "Newest snapshot",
          kind: "short",
          show: (item) =>
            item.protection.newest_available
              ? [
                  span(item.protection.newest_available.age_seconds),
                  " old",
                  h("div", { class: "note" }, time(item.protection.newest_available.taken_at)),
                ]
              : "none",
        },
        {
          name: "Schedules",
          show: (item) =>
            item.protection.schedules.length
              ? h(
                  "ul",
                  null,
                  item.protection.schedules.map((/** @type {any} */ each) => h("li", null, scheduleLink(each.schedule_id, each.name))),
                )
              : "none",
        },
        {
          name: "Machine",
          kind: "short",
          show: (item) => [
            item.instance_type,
            h(
              "div",
              { class: "note" },
              [item.zone, item.size_gib !== null && item.size_gib !== undefined ? gib(item.size_gib) : null].filter(Boolean).join(", "),
            ),
          ],
        },
        {
          name: "",
          kind: "actions",
          show: (item) =>
            button("Take a snapshot", async () => (await import("../dialogs/take.js")).takeSnapshot(item), {
              needs: "operator",
              disabled: !item.eligibility.eligible && (item.eligibility.reason ?? "It is not eligible."),
              label: `Take a snapshot of ${item.name ?? item.id}`,
            }),
        },
      ],
    }),
  );
}

/** What is as promised needs no explanation: that stands at the instance. @param {any} protection */
function shortly(protection) {
  if (protection.status !== "ok" || !protection.promised_interval_seconds) return humane(protection.reason);
  return `one every ${span(protection.promised_interval_seconds)} is promised`;
}

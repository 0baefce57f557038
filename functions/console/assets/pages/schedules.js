/** Which schedules are there, and when does each fire next? */

import { h } from "../lib/dom.js";
import { spelt, time } from "../lib/format.js";
import { head } from "../lib/head.js";
import { list } from "../lib/list.js";
import { instanceLink, scheduleLink } from "../lib/ids.js";
import { badge } from "../lib/marks.js";
import { button, curlButton, empty } from "../lib/parts.js";
import { go, link } from "../lib/router.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const path = () => "/v1/schedules?limit=100";
  return h(
    "div",
    { class: "page" },
    head("Schedules", {
      note: "When snapshots are taken, of which instances, and how long they are kept.",
      tools: [
        button("Add a schedule", () => go(link("/schedules/new/edit")), {
          needs: "operator",
          tone: "primary",
        }),
        h("a", { class: "button", href: link("/runs") }, "All runs"),
        curlButton("GET", path),
      ],
    }),
    list(page, {
      path,
      caption: "Schedules",
      key: (item) => item.id,
      none: () =>
        empty(
          "No schedules yet",
          "Make one: when, of what, and how long it stays.",
          h("a", { class: "button primary", href: link("/schedules/new/edit") }, "Add a schedule"),
        ),
      columns: [
        { name: "Schedule", show: (item) => scheduleLink(item.id, item.name) },
        {
          name: "State",
          show: (item) => badge(item.enabled ? "enabled" : "calm", item.enabled ? "on" : "off"),
        },
        {
          name: "When",
          kind: "wide",
          show: (item) => h("div", { class: "clip" }, item.description, h("div", { class: "note" }, item.timezone)),
        },
        { name: "Next", kind: "short", show: (item) => time(item.next_due_at, "relative") },
        {
          name: "Keeps",
          kind: "wide",
          show: (item) => h("span", { class: "clip" }, spelt(item.retention_description).replace(/^keep /, "")),
        },
        { name: "Of what", show: (item) => targets(item.targets) },
        {
          name: "",
          kind: "actions",
          show: (item) =>
            h(
              "a",
              {
                class: "button",
                href: link(`/schedules/${item.id}/edit`),
                "aria-label": `Edit ${item.name}`,
              },
              "Edit",
            ),
        },
      ],
    }),
  );
}

/** @param {any} chosen */
export function targets(chosen) {
  const tags = ["all_of", "any_of", "none_of"].flatMap((group) =>
    (chosen.tags?.[group] ?? []).map((/** @type {any} */ tag) =>
      h("span", { class: "tag" }, group === "none_of" && "not ", h("bdi", null, `${tag.key}: ${tag.value}`)),
    ),
  );
  const named = chosen.instance_ids?.length ?? 0;
  const out = chosen.exclude_instance_ids?.length ?? 0;
  return h(
    "div",
    { class: "tags" },
    tags,
    named === 1 && instanceLink(chosen.instance_ids[0]),
    named > 1 && h("span", { class: "tag" }, `${named} named`),
    out > 0 && h("span", { class: "tag" }, `without ${out}`),
  );
}

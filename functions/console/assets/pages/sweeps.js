/** Why does this go? */

import { ask, idempotencyKey } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { brief, count, gib, humane, time, words } from "../lib/format.js";
import { head } from "../lib/head.js";
import { list } from "../lib/list.js";
import { identifier, instanceLink, snapshotLink } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { button, curlButton, empty, section } from "../lib/parts.js";
import { go, link } from "../lib/router.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const path = () => "/v1/sweeps?limit=30";
  return h(
    "div",
    { class: "page" },
    head("Sweeps", {
      note: "Each hour all snapshots are judged by their rules: what stays, what goes, and why.",
      tools: [
        button("What would go now?", () => ask1("plan_only"), {
          needs: "operator",
          tone: "primary",
        }),
        button("Sweep now", execute, { needs: "admin" }),
        curlButton("POST", "/v1/sweeps", { mode: "plan_only" }),
      ],
    }),
    section(
      "Sweeps",
      {},
      list(page, {
        path,
        caption: "Sweeps",
        key: (item) => item.id,
        none: () => empty("No sweep yet", "One comes each hour. Or ask what would go now."),
        mark: (item) => (item.status === "needs_approval" ? "chosen" : ""),
        columns: [
          {
            name: "Sweep",
            show: (item) =>
              h("span", { class: "named" }, h("a", { class: "name", href: link(`/sweeps/${item.id}`) }, brief(item.created_at)), identifier(item.id)),
          },
          { name: "When", show: (item) => time(item.created_at, "relative") },
          { name: "Asked for by", show: (item) => (item.requested_by ? h("bdi", null, item.requested_by) : "the hour") },
          {
            name: "Kind",
            show: (item) => (item.mode === "plan_only" ? "plan alone" : "execute"),
          },
          {
            name: "Status",
            show: (item) => [badge(item.status), item.refusal && h("div", { class: "note" }, item.refusal)],
          },
          {
            name: "Stays",
            kind: "number",
            show: (item) => count(item.planned.keep),
          },
          {
            name: "Goes",
            kind: "number",
            show: (item) => count(item.planned.delete),
          },
          {
            name: "Blocked",
            kind: "number",
            show: (item) => count(item.planned.blocked),
          },
          {
            name: "Condemned",
            kind: "number",
            show: (item) => count(item.executed.condemned),
          },
          {
            name: "Stopped",
            show: (item) => (item.brakes_total > 0 ? badge("warn", `brake: ${item.brakes_total}`) : "–"),
          },
        ],
      }),
    ),
    section(
      "Should be gone, and cannot",
      { note: "What is in the way of a deletion, the longest first." },
      list(page, {
        path: () => "/v1/sweeps/blocked?sort=created_at&limit=20",
        caption: "Blocked",
        key: (item) => item.snapshot_id,
        none: () => empty("Nothing is blocked"),
        columns: [
          {
            name: "Snapshot",
            show: (item) => snapshotLink(item.snapshot_id, item.name),
          },
          {
            name: "Instance",
            show: (item) => instanceLink(item.instance_id, item.instance_name),
          },
          { name: "By", show: (item) => badge("blocked", words(item.cause)) },
          {
            name: "What to do",
            kind: "wide",
            show: (item) => h("span", { class: "clip" }, humane(item.detail)),
          },
          { name: "Since", show: (item) => time(item.since, "relative") },
          { name: "Size", kind: "number", show: (item) => gib(item.size_gib) },
        ],
      }),
    ),
  );
}

/** @param {string} mode */
async function ask1(mode) {
  const made = await ask("POST", "/v1/sweeps", {
    body: { mode },
    key: idempotencyKey(),
  });
  go(link(`/sweeps/${made.id}`));
}

async function execute() {
  const made = await open({
    title: "Sweep now",
    act: "Sweep",
    acting: "Asking…",
    body: [
      h("p", null, "The plan is made and carried out. What goes is condemned first, and can be rescued until its grace is over."),
      h("div", { class: "warning" }, mark("warn"), h("p", null, "To look before anything is touched, ask what would go now.")),
    ],
    extra: curlButton("POST", "/v1/sweeps", { mode: "execute" }),
    run: () =>
      ask("POST", "/v1/sweeps", {
        body: { mode: "execute" },
        key: idempotencyKey(),
      }),
  });
  if (made) go(link(`/sweeps/${made.id}`));
}

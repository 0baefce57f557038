/** What became of the runs of all schedules? */

import { withQuery } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { plural, span, stamp, words } from "../lib/format.js";
import { filters } from "../lib/filters.js";
import { head } from "../lib/head.js";
import { scheduleLink } from "../lib/ids.js";
import { list, nothing } from "../lib/list.js";
import { badge } from "../lib/marks.js";
import { button, curlButton, empty } from "../lib/parts.js";
import { link, setQuery } from "../lib/router.js";

/** What did not go as promised, as one choice among the filters. */
const AMISS = ["failed", "partly_failed", "missed"];
const STATUSES = ["dispatching", "running", "done", ...AMISS];

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const path = () => {
    const { status, from, to } = page.query;
    const wanted = withQuery("/v1/runs", { from: instant(from), to: instant(to, 1), limit: 50 });
    const given = status === "amiss" ? AMISS : status ? [status] : [];
    return given.reduce((sofar, each) => withQuery(sofar, { status: each }), wanted);
  };
  return h(
    "div",
    { class: "page" },
    head("Runs", {
      up: ["Schedules", "#/schedules"],
      note: "What became of each slot of every schedule, the newest first.",
      tools: curlButton("GET", path),
    }),
    filters(page, {
      selects: [
        {
          name: "status",
          label: "Any status",
          options: [["amiss", "failed or missed"], ...STATUSES.map((word) => /** @type {[string, string]} */ ([word, words(word)]))],
        },
      ],
      more: [day(page, "from", "From"), day(page, "to", "To")],
    }),
    list(page, {
      path,
      caption: "Runs",
      key: (item) => `${item.schedule_id} ${item.slot}`,
      none: () =>
        nothing("runs", Object.keys(page.query).length > 0, () =>
          empty("Nothing has run yet", "A run is a slot of a schedule.", h("a", { class: "button", href: link("/schedules") }, "To the schedules")),
        ),
      columns: [
        { name: "Schedule", show: (item) => scheduleLink(item.schedule_id, item.schedule_name) },
        ...runColumns((item) => ({ id: item.schedule_id })),
      ],
    }),
  );
}

/** The day's first instant here, or that of a later one. @param {string | undefined} day @param {number} [later] */
function instant(day, later = 0) {
  if (!day) return undefined;
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + later);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** @param {import("../lib/page.js").Page} page @param {string} name @param {string} label */
function day(page, name, label) {
  const input = h("input", {
    type: "date",
    "aria-label": label,
    onchange: (/** @type {any} */ event) => setQuery({ [name]: event.target.value }, { step: true }),
  });
  const sync = () => {
    if (document.activeElement !== input) input.value = page.query[name] ?? "";
  };
  page.onQuery(sync);
  sync();
  return h("label", { class: "dated" }, h("span", { class: "note" }, label), input);
}

/** What a list tells of a run. @param {(item: any) => {id: string}} scheduleOf @returns {import("../lib/table.js").Column[]} */
export function runColumns(scheduleOf) {
  return [
    { name: "Slot", kind: "short", show: (item) => stamp(item.slot) },
    { name: "Status", show: (item) => badge(item.status) },
    {
      name: "Targets",
      show: (item) => [
        item.counts.total > 0 ? `${item.counts.succeeded} of ${item.counts.total}` : "none",
        item.counts.failed > 0 && h("div", null, badge("failed", `${item.counts.failed} failed`)),
        item.counts.skipped > 0 && h("div", null, badge("calm", `${item.counts.skipped} skipped`)),
        item.failure && h("div", { class: "note clip" }, item.failure.message ?? item.failure),
      ],
    },
    { name: "Late by", kind: "number", show: (item) => (item.lateness_seconds ? span(item.lateness_seconds) : "on time") },
    { name: "Missed before", kind: "number", show: (item) => (item.missed ? badge("missed", plural(item.missed, "slot")) : "–") },
    {
      name: "",
      kind: "actions",
      show: (item) =>
        button("Targets", async () => (await import("../dialogs/run.js")).targetsOf(scheduleOf(item), item), {
          label: `Targets of the run of ${item.slot}`,
        }),
    },
  ];
}

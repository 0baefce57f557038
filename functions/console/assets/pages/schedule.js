/** What will these rules keep? */

import { ask } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { follow } from "../lib/follow.js";
import { capital, plural, span, spelt, stamp, time, words } from "../lib/format.js";
import { head } from "../lib/head.js";
import { list } from "../lib/list.js";
import { open } from "../lib/dialog.js";
import { identifier, instanceLink, snapshotLink } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { button, curlButton, empty, facts, section } from "../lib/parts.js";
import { go, link } from "../lib/router.js";
import { resource } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { riverOf } from "./river.js";
import { runColumns } from "./runs.js";
import { targets } from "./schedules.js";

const WHEN_GONE = /** @type {Record<string, (gone: any) => string>} */ ({
  apply: () => "the same rules",
  keep_last: ({ count }) => `the last ${plural(count, "stays", "stay")}`,
  keep_all: () => "all of them stay",
});

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const id = page.parts[1];
  return follow(page, `/v1/schedules/${id}`, (schedule) => draw(page, schedule), {
    lines: 10,
    missing: () =>
      h(
        "div",
        { class: "page" },
        head("This schedule is not here", {
          up: ["Schedules", "#/schedules"],
        }),
        empty("It was deleted", "Its snapshots stay, without rules."),
      ),
  });
}

/** @param {import("../lib/page.js").Page} page @param {any} schedule */
function draw(page, schedule) {
  const path = `/v1/schedules/${schedule.id}`;
  return h(
    "div",
    { class: "page" },
    head(schedule.name, {
      up: ["Schedules", "#/schedules"],
      beside: badge(schedule.enabled ? "enabled" : "calm", schedule.enabled ? "on" : "off"),
      note: identifier(schedule.id),
      tools: [
        button("Edit", () => go(link(`/schedules/${schedule.id}/edit`)), {
          needs: "operator",
          tone: "primary",
        }),
        button("Run now", () => run(schedule), { needs: "operator" }),
        button(schedule.enabled ? "Turn off" : "Turn on", () => toggle(schedule), { needs: "operator" }),
        button("Delete", () => remove(schedule), {
          needs: "admin",
          tone: "danger",
        }),
        curlButton("GET", path),
      ],
    }),
    schedule.drill_put_off && h("div", { class: "warning" }, mark("warn"), h("p", null, schedule.drill_put_off)),
    h(
      "div",
      { class: "columns two" },
      section(
        "When, and of what",
        {},
        h("p", null, capital(schedule.description)),
        facts([
          ["Next", schedule.next_due_at ? time(schedule.next_due_at, "both") : "never"],
          ["Time zone", schedule.timezone],
          ["Expression", h("code", null, schedule.expression)],
          ["Spread over", schedule.spread_minutes ? `${schedule.spread_minutes} min` : "at once"],
          ["Of what", targets(schedule.targets)],
        ]),
      ),
      section(
        "How long it is kept",
        {},
        h("p", null, capital(spelt(schedule.retention_description))),
        facts([
          ["When the instance is gone", WHEN_GONE[schedule.when_gone.type]?.(schedule.when_gone) ?? words(schedule.when_gone.type)],
          ["Grace", schedule.grace_minutes === null || schedule.grace_minutes === undefined ? "as for all" : span(schedule.grace_minutes * 60)],
          ["Restore window", schedule.restore_window ? spelt(schedule.restore_window) : "no limit"],
          ["Copies", schedule.copies.map((/** @type {any} */ copy) => copy.region).join(", ") || "none"],
          ["Drills", schedule.drill_every ? [`every ${spelt(schedule.drill_every)}, next `, time(schedule.next_drill_at, "relative")] : "none"],
          [
            "Last drill",
            schedule.last_drill ? [badge(schedule.last_drill.outcome), " ", time(schedule.last_drill.finished_at, "relative")] : "never",
          ],
        ]),
      ),
    ),
    section(
      "The coming year",
      {
        note: "How old the oldest snapshot is that the rules keep, and how many there are. Drag to see a day.",
      },
      riverOf(page, () => ({ schedule_id: schedule.id }), { told: false }),
    ),
    section("Runs", {}, runs(page, schedule)),
    section(
      "Its snapshots",
      {
        tools: h("a", { href: link("/snapshots", { schedule_id: schedule.id }) }, "In the list"),
      },
      list(page, {
        path: () => `/v1/snapshots?schedule_id=${schedule.id}&limit=10`,
        caption: "Snapshots of it",
        key: (item) => item.id,
        none: () => empty("None yet"),
        columns: [
          {
            name: "Snapshot",
            show: (item) => snapshotLink(item.id, item.name),
          },
          {
            name: "Instance",
            show: (item) => instanceLink(item.instance_id, item.instance_name),
          },
          { name: "Created", kind: "short", show: (item) => stamp(item.created_at) },
          { name: "Status", show: (item) => badge(item.status) },
        ],
      }),
    ),
  );
}

/** @param {import("../lib/page.js").Page} page @param {any} schedule */
function runs(page, schedule) {
  return list(page, {
    path: () => `/v1/schedules/${schedule.id}/runs?limit=15`,
    caption: "Runs",
    key: (item) => item.slot,
    none: () => empty("It has not run yet", schedule.next_due_at ? ["It fires ", time(schedule.next_due_at, "relative"), "."] : "It is turned off."),
    columns: runColumns(() => schedule),
  });
}

/** @param {any} schedule */
async function run(schedule) {
  const path = `/v1/schedules/${schedule.id}/runs`;
  const made = await open({
    title: "Run now",
    act: "Run it",
    acting: "Asking…",
    body: h("p", null, "A snapshot of each instance that it is for, now, kept by the same rules."),
    extra: curlButton("POST", path),
    run: () => ask("POST", path),
  });
  if (made) toast(`${schedule.name} runs.`);
}

/** @param {any} schedule */
async function toggle(schedule) {
  const path = `/v1/schedules/${schedule.id}`;
  try {
    await ask("PATCH", path, {
      body: { enabled: !schedule.enabled },
      ifMatch: schedule.version,
    });
    toast(`${schedule.name} is ${schedule.enabled ? "off: it fires no more, and its snapshots stay by its rules" : "on"}.`, {
      action: "Undo",
      act: () => ask("PATCH", path, { body: { enabled: schedule.enabled } }).then(() => resource(path).refresh()),
    });
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), {
      tone: "bad",
    });
  }
  resource(path).refresh();
}

/** @param {any} schedule */
async function remove(schedule) {
  const typed = h("input", {
    autocomplete: "off",
    dir: "auto",
    "aria-label": `Type ${schedule.name} to delete it`,
  });
  const path = `/v1/schedules/${schedule.id}`;
  const done = await open({
    title: "Delete this schedule",
    tone: "danger",
    act: "Delete",
    acting: "Deleting…",
    body: [
      h(
        "div",
        { class: "warning" },
        mark("warn"),
        h(
          "div",
          null,
          h("strong", null, "Its snapshots stay"),
          h("p", null, "without rules: no sweep deletes them any more, until somebody does by hand."),
        ),
      ),
      h("label", null, `Type its name: ${schedule.name}`),
      typed,
    ],
    extra: curlButton("DELETE", path),
    ready: () => typed.value === schedule.name,
    run: () => ask("DELETE", path),
  });
  if (done) go(link("/schedules"));
}

/** What happened to this server? */

import { now } from "../lib/clock.js";
import { h } from "../lib/dom.js";
import { restoreButton } from "../lib/deeds.js";
import { follow } from "../lib/follow.js";
import { capital, gib, humane, span, stamp, time, words } from "../lib/format.js";
import { head, picture, room } from "../lib/head.js";
import { list } from "../lib/list.js";
import { identifier, scheduleLink, snapshotLink, told } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { button, curlButton, empty, facts, section, tagList } from "../lib/parts.js";
import { link } from "../lib/router.js";
import { resource } from "../lib/store.js";
import { comb, combLegend, kindOf } from "../pictures/comb.js";
import { lifeLegend, lifeLine } from "../pictures/lifeline.js";
import { toothOf } from "./combs.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const id = page.parts[1];
  return follow(page, `/v1/instances/${id}`, (instance) => draw(page, instance), {
    lines: 12,
    missing: () =>
      h(
        "div",
        { class: "page" },
        head("This instance is not here any more", {
          up: ["Instances", "#/instances"],
        }),
        section("Its snapshots", {}, teeth(page, id)),
        section("What happened", {}, history(page, id)),
      ),
  });
}

/** @param {import("../lib/page.js").Page} page @param {any} instance */
function draw(page, instance) {
  const { protection } = instance;
  return h(
    "div",
    { class: "page" },
    head(instance.name ?? "no name", {
      up: ["Instances", "#/instances"],
      beside: [badge(protection.status), badge(instance.state === "running" ? "ok" : instance.state, instance.state)],
      note: identifier(instance.id),
      tools: [
        button("Take a snapshot", async () => (await import("../dialogs/take.js")).takeSnapshot(instance), {
          needs: "operator",
          tone: "primary",
          disabled: !instance.eligibility.eligible && instance.eligibility.reason,
        }),
        button("Schedules…", () => assign(instance), { needs: "operator" }),
        curlButton("GET", `/v1/instances/${instance.id}`),
      ],
    }),
    !instance.eligibility.eligible && h("div", { class: "warning" }, mark("warn"), h("p", null, instance.eligibility.reason)),
    section(
      "Its life",
      {
        note: "Snapshots, runs, restores and edits on one axis, as far back as there is room for them.",
      },
      life(page, instance.id),
    ),
    h(
      "div",
      { class: "columns two" },
      section(
        "Protection",
        {},
        h("p", null, capital(humane(protection.reason))),
        facts([
          ["Promised", protection.promised_interval_seconds ? `one every ${span(protection.promised_interval_seconds)}` : "nothing"],
          ["Newest", protection.newest_available ? [span(protection.newest_available.age_seconds), " old"] : "none"],
          [
            "Last drill",
            instance.last_drill ? [badge(instance.last_drill.outcome), " ", time(instance.last_drill.finished_at, "relative")] : "never",
          ],
        ]),
        protection.schedules.length > 0 &&
          h(
            "ul",
            { class: "feed" },
            protection.schedules.map((/** @type {any} */ each) =>
              h(
                "li",
                null,
                badge(each.enabled ? "ok" : "calm", each.enabled ? "on" : "off"),
                h(
                  "div",
                  { class: "what" },
                  scheduleLink(each.schedule_id, each.name),
                  h("span", { class: "note" }, `by ${words(each.chosen_by)}`, each.next_due_at && [", next ", time(each.next_due_at, "relative")]),
                ),
              ),
            ),
          ),
      ),
      section(
        "The machine",
        {},
        facts([
          ["Type", instance.instance_type],
          ["Zone", instance.zone],
          instance.machine && ["CPUs", instance.machine.vcpus],
          instance.machine && ["Memory", gib(instance.machine.memory_mib / 1024)],
          ["Image", instance.ami_id],
          ["Platform", instance.platform],
          ["Launched", time(instance.launched_at)],
        ]),
        tagList(instance.tags),
        disks(instance),
      ),
    ),
    section(
      "Its snapshots",
      {
        tools: h("a", { href: link("/snapshots", { instance_id: instance.id }) }, "In the list"),
      },
      teeth(page, instance.id),
      snapshots(page, instance.id),
    ),
    section("What happened", {}, history(page, instance.id)),
  );
}

/** @param {any} instance */
async function assign(instance) {
  const all = resource("/v1/schedules?limit=200");
  await all.refresh();
  (await import("../dialogs/assign.js")).assignSchedules(instance, all.state.data?.items ?? []);
}

const LANES = /** @type {Record<string, string>} */ ({
  snapshot: "Snapshots",
  run: "Runs",
  restore: "Restores",
  drill: "Restores",
  image: "Restores",
  schedule: "Edits",
  instance: "Edits",
  sweep: "Runs",
});

/** @param {{action: string, changes: {field: string, after: unknown}[]}} entry */
function tone({ action, changes }) {
  // A run ends in one action, however it went.
  const ending = action === "run.finished" && changes.find((change) => change.field === "status")?.after;
  if (ending === "failed" || /failed|missing|damaged/.test(action)) return "bad";
  // That the rules let something go is as it should be.
  if (ending === "partly_failed" || ending === "missed" || /missed|blocked|needs_approval/.test(action)) return "warn";
  return /available|finished/.test(action) ? "good" : "calm";
}

/** @param {import("../lib/page.js").Page} page @param {string} id */
function life(page, id) {
  return follow(
    page,
    `/v1/instances/${id}/history?limit=200`,
    (data) => {
      const happenings = data.items
        .filter((/** @type {any} */ item) => !/requested$/.test(item.action))
        .map((/** @type {any} */ item) => ({
          at: item.at,
          lane: LANES[item.kind] ?? "Edits",
          tone: tone(item),
          text: humane(item.summary),
          href: hrefOf(item),
        }));
      if (happenings.length === 0) return empty("Nothing has happened yet", "Take a snapshot, or give it a schedule.");
      return h(
        "div",
        { class: "stack" },
        lifeLegend(),
        picture(page, () => {
          // So many that they do not lie on each other: on a phone some days, on a desk some weeks.
          const shown = happenings.slice(0, Math.max(12, Math.floor(room() / 6)));
          const from = Math.max(now() - 45 * 86_400_000, Date.parse(shown[shown.length - 1].at) - 3_600_000);
          return lifeLine(shown, { width: room(), from, to: now() + (now() - from) * 0.03, now: now() });
        }).element,
      );
    },
    { lines: 5 },
  );
}

/** Where an entry of the audit leads. @param {any} item */
export function hrefOf(item) {
  const places = /** @type {Record<string, string>} */ ({
    snp: "snapshots",
    sch: "schedules",
    rst: "restores",
    swp: "sweeps",
  });
  const place = places[item.resource_id.slice(0, 3)];
  if (item.resource_id.startsWith("i-")) return link(`/instances/${item.resource_id}`);
  return place ? link(`/${place}/${item.resource_id}`) : link("/audit", { resource_id: item.resource_id });
}

/** @param {import("../lib/page.js").Page} page @param {string} id */
function teeth(page, id) {
  return follow(
    page,
    `/v1/instances/${id}/comb`,
    (data) => {
      const line = { id, name: "", href: "", teeth: data.items.map(toothOf) };
      if (line.teeth.length === 0) return empty("No snapshots of it");
      return h(
        "div",
        { class: "stack" },
        combLegend(new Set(line.teeth.map(kindOf))),
        picture(page, () =>
          comb([line], {
            width: room(),
            now: now(),
            labels: false,
            choose: (snapshot) => (location.hash = link(`/snapshots/${snapshot}`)),
          }),
        ).element,
      );
    },
    { lines: 2 },
  );
}

/** @param {import("../lib/page.js").Page} page @param {string} id */
function snapshots(page, id) {
  return list(page, {
    path: () => `/v1/snapshots?instance_id=${id}&include=fate&limit=10`,
    caption: "Snapshots of it",
    key: (item) => item.id,
    none: () => h("span"),
    columns: [
      { name: "Snapshot", show: (item) => snapshotLink(item.id, item.name) },
      { name: "Created", kind: "short", show: (item) => stamp(item.created_at) },
      { name: "Status", show: (item) => badge(item.status) },
      {
        name: "What becomes of it",
        kind: "wide",
        show: (item) => h("span", { class: "clip" }, capital(humane(item.fate?.because ?? "–"))),
      },
      { name: "", kind: "actions", show: (item) => restoreButton(item) },
    ],
  });
}

/** @param {import("../lib/page.js").Page} page @param {string} id */
function history(page, id) {
  return list(page, {
    path: () => `/v1/instances/${id}/history?limit=20`,
    caption: "History",
    key: (item) => item.id,
    none: () => empty("Nothing is told of it"),
    columns: [
      { name: "When", kind: "short", show: (item) => time(item.at, "both") },
      {
        name: "What",
        kind: "wide",
        show: (item) => h("a", { href: hrefOf(item) }, told(item.summary)),
      },
      { name: "Who", show: (item) => h("bdi", null, item.actor.who) },
      {
        name: "",
        kind: "actions",
        show: (item) =>
          item.action === "snapshot.available" && h("a", { class: "button", href: link(`/snapshots/${item.resource_id}`) }, "Restore from here"),
      },
    ],
  });
}

/** @param {any} instance */
function disks(instance) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Volumes" },
    h(
      "table",
      { class: "list" },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          ["Volume", "Device", "Size", "Kind"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h(
        "tbody",
        null,
        instance.disks.map((/** @type {any} */ disk) =>
          h(
            "tr",
            null,
            h("th", { scope: "row", "data-label": "Volume" }, identifier(disk.volume_id)),
            h("td", { "data-label": "Device" }, disk.device, disk.boot && " (root)"),
            h("td", { "data-label": "Size" }, gib(disk.size_gib)),
            h("td", { "data-label": "Kind" }, disk.volume_type, disk.encrypted && ", encrypted"),
          ),
        ),
      ),
    ),
  );
}

/** What is it, what does it cost, can I trust it? */

import { now } from "../lib/clock.js";
import { h } from "../lib/dom.js";
import { allDeeds } from "../lib/deeds.js";
import { follow } from "../lib/follow.js";
import { bytes, capital, gib, humane, money, plural, time, words } from "../lib/format.js";
import { head, room } from "../lib/head.js";
import { identifier, scheduleLink, told } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { curlButton, empty, facts, section, tagList } from "../lib/parts.js";
import { link } from "../lib/router.js";
import { comb, combLegend, kindOf } from "../pictures/comb.js";
import { waterfall } from "../pictures/waterfall.js";
import { toothOf } from "./combs.js";
import { basics, fateText } from "./summary.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const id = page.parts[1];
  return follow(page, `/v1/snapshots/${id}`, (snapshot) => draw(page, snapshot), {
    lines: 12,
    missing: () =>
      h(
        "div",
        { class: "page" },
        head("This snapshot is not here", {
          up: ["Snapshots", "#/snapshots"],
        }),
        empty("There is no such snapshot", "It may have been made by something else, or its record was removed."),
      ),
  });
}

/** @param {import("../lib/page.js").Page} page @param {any} snapshot */
function draw(page, snapshot) {
  return h(
    "div",
    { class: "page" },
    head(snapshot.name, {
      up: ["Snapshots", "#/snapshots"],
      beside: badge(snapshot.status),
      note: identifier(snapshot.id),
      tools: [allDeeds(snapshot), curlButton("GET", `/v1/snapshots/${snapshot.id}`)],
    }),
    trust(page, snapshot),
    h(
      "div",
      { class: "columns two" },
      section(
        "What it is",
        {},
        facts([
          ...basics(snapshot),
          ["Origin", [words(snapshot.origin), snapshot.schedule_id && [" of ", scheduleLink(snapshot.schedule_id)]]],
          ["Restore until", snapshot.restore_until ? time(snapshot.restore_until, "both") : "no limit"],
          ["Expires", snapshot.expires_at ? time(snapshot.expires_at, "both") : "by rules alone"],
          ["Tags", tagList(snapshot.tags)],
        ]),
        snapshot.description && h("p", { dir: "auto" }, snapshot.description),
      ),
      section("How long it will be here", {}, fateText(snapshot), holdText(snapshot), neighbours(page, snapshot)),
    ),
    h(
      "div",
      { class: "columns two" },
      section("What it costs, what its deletion frees", {}, costs(page, snapshot)),
      section(
        "The machine as it was",
        {},
        facts([
          ["Type", snapshot.machine.instance_type],
          snapshot.machine.vcpus && ["CPUs", snapshot.machine.vcpus],
          snapshot.machine.memory_mib && ["Memory", gib(snapshot.machine.memory_mib / 1024)],
          [
            "Graphics",
            snapshot.machine.gpus?.length ? snapshot.machine.gpus.map((/** @type {any} */ gpu) => `${gpu.count} × ${gpu.name}`).join(", ") : "none",
          ],
          ["Architecture", snapshot.machine.architecture],
          ["Platform", snapshot.machine.platform],
        ]),
      ),
    ),
    section("Its EBS snapshots", { note: "One for each volume. They go together or stay together." }, volumes(snapshot)),
    snapshot.copies.length > 0 &&
      section(
        "Copies",
        {},
        h(
          "ul",
          null,
          snapshot.copies.map((/** @type {any} */ copy) =>
            h(
              "li",
              { class: "row" },
              copy.region,
              badge(copy.stage === "over" ? "done" : "pending", words(copy.stage)),
              copy.snapshot_id && h("a", { href: link(`/snapshots/${copy.snapshot_id}`) }, "the copy"),
            ),
          ),
        ),
      ),
    section(
      "What happened to it",
      {
        tools: h("a", { href: link("/audit", { resource_id: snapshot.id }) }, "In the audit"),
      },
      follow(page, `/v1/audit?resource_id=${snapshot.id}&limit=20`, (data) =>
        h(
          "ul",
          { class: "feed" },
          data.items.map((/** @type {any} */ item) =>
            h(
              "li",
              null,
              time(item.at, "relative"),
              h(
                "div",
                { class: "what" },
                told(item.summary),
                h("span", { class: "note" }, h("bdi", null, item.actor.who), item.reason && [": ", h("bdi", null, item.reason)]),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

/** @param {import("../lib/page.js").Page} page @param {any} snapshot */
function trust(page, snapshot) {
  const lines = [
    snapshot.failure && ["bad", `It failed: ${snapshot.failure.message}`],
    snapshot.damaged && ["bad", `It is torn: ${snapshot.damaged.detail}`],
    snapshot.missing_since && ["bad", "EC2 does not have it any more, and not by us. The record stays, so that you know what there was."],
    snapshot.blocked && ["warn", `It should be gone: ${humane(snapshot.blocked.detail)}`],
    snapshot.restores_under_way.length > 0 && [
      "warn",
      `${plural(snapshot.restores_under_way.length, "restore")} of it under way: it stays until that is over.`,
    ],
    snapshot.archived && ["warn", "It is archived: a restore waits for hours, and no rule counts it."],
  ].filter((line) => Array.isArray(line));
  return [
    lines.map(([tone, text]) => h("div", { class: `warning ${tone}` }, mark("warn"), h("p", null, text))),
    snapshot.status === "available" &&
      follow(page, "/v1/capabilities", (answer) => h("p", { class: "note" }, capital(answer.snapshots.consistency_note ?? "")), { lines: 1 }),
  ];
}

/** @param {any} snapshot */
function holdText(snapshot) {
  const { hold } = snapshot;
  if (!hold) return null;
  return facts([
    ["Held", hold.until ? ["until ", time(hold.until, "both")] : "until somebody releases it"],
    ["By", h("bdi", null, hold.by)],
    ["Why", h("bdi", null, hold.reason ?? "no reason was given")],
    ["Look again", hold.review_at ? time(hold.review_at, "both") : "no day is set"],
  ]);
}

/** @param {import("../lib/page.js").Page} page @param {any} snapshot */
function neighbours(page, snapshot) {
  return follow(
    page,
    `/v1/instances/${snapshot.instance_id}/comb`,
    (data) => {
      const teeth = data.items.map(toothOf);
      return h(
        "div",
        { class: "stack" },
        h("h3", null, "Among its neighbours"),
        h(
          "div",
          {
            class: "picture",
            tabindex: "0",
            role: "region",
            "aria-label": "Its neighbours",
          },
          comb([{ id: snapshot.instance_id, name: "", href: "", teeth }], {
            width: room(0.5),
            now: now(),
            chosen: snapshot.id,
            labels: false,
            choose: (id) => (location.hash = link(`/snapshots/${id}`)),
          }),
        ),
        combLegend(new Set(teeth.map(kindOf))),
      );
    },
    { lines: 2 },
  );
}

/** @param {import("../lib/page.js").Page} page @param {any} snapshot */
function costs(page, snapshot) {
  return follow(
    page,
    `/v1/snapshots/${snapshot.id}/billing`,
    (bill) => {
      const frees = bill.deletion_frees;
      const full = bill.full_size;
      const bars = [
        {
          text: "Size of its volumes",
          from: 0,
          to: bill.size.gib,
          tone: "volume",
        },
        full && { text: "All their data", from: 0, to: full.gib, tone: "full" },
        {
          text: "Its own part, estimated",
          from: 0,
          to: bill.estimated_incremental.gib,
          tone: "estimate",
        },
        {
          text: "Deletion frees at least",
          from: 0,
          to: frees.at_least_gib,
          tone: "frees",
        },
        {
          text: "… and at most",
          from: 0,
          to: frees.at_most_gib,
          tone: "frees",
        },
      ].filter((bar) => bar !== null && bar !== undefined && bar !== false);
      return h(
        "div",
        { class: "stack" },
        h(
          "div",
          {
            class: "picture",
            tabindex: "0",
            role: "region",
            "aria-label": "Costs",
          },
          waterfall(/** @type {any} */ (bars), { width: room(0.5) }),
        ),
        h("p", null, capital(humane(frees.detail))),
        h(
          "p",
          { class: "note" },
          `About ${money(bill.estimated_incremental.cost, bill.price.currency)} a month by the price of ${bill.price.as_of} in ${bill.price.price_region}; deleting it saves at most ${money(frees.saves_at_most, bill.price.currency)}. The change between snapshots is taken as ${bill.daily_change_percent} % a day.`,
        ),
      );
    },
    {
      missing: () => h("p", { class: "note" }, "It costs nothing that can be told."),
    },
  );
}

/** @param {any} snapshot */
function volumes(snapshot) {
  return h(
    "div",
    {
      class: "scroll",
      tabindex: "0",
      role: "region",
      "aria-label": "EBS snapshots",
    },
    h(
      "table",
      { class: "list" },
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          ["EBS snapshot", "Volume", "Device", "Size of the volume", "All its data", "State"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h(
        "tbody",
        null,
        snapshot.volumes.map((/** @type {any} */ volume) =>
          h(
            "tr",
            null,
            h("th", { scope: "row", "data-label": "EBS snapshot" }, identifier(volume.ebs_snapshot_id)),
            h("td", { "data-label": "Volume" }, identifier(volume.volume_id)),
            h("td", { "data-label": "Device" }, volume.device ?? "–", volume.boot && " (root)"),
            h("td", { "data-label": "Size" }, gib(volume.size_gib)),
            h("td", { "data-label": "All its data" }, bytes(volume.full_size_bytes)),
            h(
              "td",
              { "data-label": "State" },
              badge(volume.deleted ? "deleted" : volume.state),
              volume.state === "pending" && ` ${volume.progress_percent} %`,
              volume.storage_tier !== "standard" && ` ${volume.storage_tier}`,
            ),
          ),
        ),
      ),
    ),
  );
}

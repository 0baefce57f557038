/** Which do I want, and how long will it be here? */

import { ask, withQuery } from "../lib/api.js";
import { now } from "../lib/clock.js";
import { fill, h } from "../lib/dom.js";
import { rowDeeds } from "../lib/deeds.js";
import { gib, humane, plural, spelt, time, words } from "../lib/format.js";
import { head, picture, room } from "../lib/head.js";
import { filters } from "../lib/filters.js";
import { list, nothing } from "../lib/list.js";
import { instanceLink, snapshotLink } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { button, curlButton, empty, section } from "../lib/parts.js";
import { link, setQuery } from "../lib/router.js";
import { comb, combHeight, combLegend, kindOf } from "../pictures/comb.js";
import { byInstance, combsOf } from "./combs.js";
import { summary } from "./summary.js";

/** How many lines are drawn before somebody asks for more. */
const LINES = innerWidth < 620 ? 6 : 8;
/** How high the legend and the button below are. */
const LEGEND = 84;
const STATUSES = ["available", "requested", "creating", "pending", "error", "condemned", "deleting", "deleted", "missing"];
const ORIGINS = ["schedule", "manual", "copy", "adopted"];

/** @param {import("../lib/page.js").Page} page */
export async function show(page) {
  /** @type {any[]} */
  let items = [];
  /** @type {Set<string>} */
  const picked = new Set();
  const drawer = h("aside", { "aria-label": "The chosen snapshot" });
  const bar = h("div");
  const columns = h("div", { class: "columns" });
  const path = () => listed(page.query);
  const regions = await ask("GET", "/v1/capabilities").then(
    (answer) => answer.regions,
    () => [],
  );

  /** @type {import("../pictures/comb.js").Line[]} */
  let lines = [];
  let all = false;
  let known = false;
  const combOf = picture(page, () => {
    // As high as what will be there, so that the list below does not move.
    if (lines.length === 0 && !known) return h("div", { class: "waiting", vars: { "min-height": `${combHeight(LINES) + LEGEND}px` } });
    if (lines.length === 0) return h("span", { class: "note" }, "Nothing to draw yet.");
    const shown = all ? lines : lines.slice(0, LINES);
    const used = new Set(shown.flatMap((line) => line.teeth.map(kindOf)));
    const wide = page.query.open && room() > 900 ? 380 : 0;
    return h(
      "div",
      { class: "stack" },
      combLegend(used),
      comb(shown, {
        width: room(1, wide),
        now: now(),
        chosen: page.query.open,
        choose: open,
      }),
      lines.length > shown.length &&
        h(
          "button",
          {
            type: "button",
            class: "button quiet",
            id: "all-lines",
            onclick: () => {
              all = true;
              combOf.again();
            },
          },
          `Show all ${lines.length} instances`,
        ),
    );
  });
  /** @type {string | null} */
  let drawn = null;
  async function drawComb() {
    const instances = [...new Set(items.map((item) => item.instance_id))].slice(0, 50);
    const wanted = instances.join();
    if (wanted === drawn) return;
    drawn = wanted;
    lines = byInstance(items);
    known = true;
    combOf.again();
    lines = await combsOf(instances).catch(() => lines);
    combOf.again();
  }

  /** @param {string} id */
  function open(id) {
    setQuery({ open: id === page.query.open ? "" : id }, { step: true });
  }

  function opened() {
    const id = page.query.open;
    columns.classList.toggle("aside", Boolean(id));
    drawer.hidden = !id;
    fill(drawer, id && summary(page, id, () => setQuery({ open: "" }, { step: true })));
    combOf.again();
  }

  function pickedBar() {
    const chosen = items.filter((item) => picked.has(item.id));
    const gone = () => {
      picked.clear();
      for (const box of table.querySelectorAll("input[type=checkbox]"))
        /** @type {HTMLInputElement} */ (box).checked = false;
      pickedBar();
    };
    fill(
      bar,
      chosen.length > 0 &&
        h(
          "div",
          { class: "pick", role: "status" },
          h("strong", null, `${plural(chosen.length, "snapshot")} chosen, ${gib(chosen.reduce((sum, each) => sum + each.size_gib, 0))}`),
          button("Hold", async () => (await import("../dialogs/bulk.js")).bulk(chosen, "hold", gone), { needs: "operator" }),
          button("Delete", async () => (await import("../dialogs/bulk.js")).bulk(chosen, "delete", gone), { needs: "admin", tone: "danger" }),
          button("Choose none", gone, { tone: "quiet" }),
        ),
    );
  }

  const table = list(page, {
    path,
    caption: "Snapshots",
    items: itemsOf,
    key: (item) => item.id ?? item.snapshot_id,
    none: () =>
      nothing(
        "snapshots",
        Object.keys(page.query).some((name) => name !== "open"),
        () =>
          empty(
            "No snapshots yet",
            "Take one of an instance, or make a schedule.",
            h("a", { class: "button primary", href: link("/instances") }, "To the instances"),
          ),
      ),
    onitems(found) {
      items = found.filter((item) => item.id);
      drawComb();
      pickedBar();
    },
    columns: [
      {
        name: "Snapshot",
        show: (item) =>
          h(
            "div",
            { class: "row" },
            item.id &&
              h("input", {
                type: "checkbox",
                "aria-label": `Choose ${item.name}`,
                checked: picked.has(item.id),
                onchange: (/** @type {any} */ event) => {
                  if (event.target.checked) picked.add(item.id);
                  else picked.delete(item.id);
                  pickedBar();
                },
              }),
            snapshotLink(item.id ?? item.snapshot_id, item.name),
          ),
      },
      {
        name: "Instance",
        show: (item) => instanceLink(item.instance_id, item.instance_name),
      },
      {
        name: "Created",
        kind: "short",
        show: (item) => time(item.created_at ?? item.taken_at),
      },
      {
        name: "Size",
        kind: "number spare",
        show: (item) => h("span", { "data-tip": "Size of its volumes" }, gib(item.size_gib)),
      },
      {
        name: "Where",
        kind: "short spare",
        show: (item) => item.zone ?? item.region ?? "–",
      },
      {
        name: "Status",
        show: (item) =>
          h(
            "div",
            { class: "stack" },
            item.status && badge(item.status),
            item.review && badge("warn", item.review),
            item.ami_ids?.length > 0 && badge("calm", "used by an image"),
            item.blocked && badge("blocked", `blocked: ${words(item.blocked.cause)}`),
            item.status === "pending" && progress(item.progress_percent),
          ),
      },
      { name: "Why it is here, how long", kind: "wide spare", show: fate },
      {
        name: "",
        kind: "actions",
        show: (item) => (item.id ? rowDeeds(item) : null),
      },
    ],
  });

  page.onQuery(() => {
    opened();
    if (page.query.open && innerWidth < 1000) drawer.scrollIntoView({ block: "start" });
  });
  const above = section(
    "The comb",
    {
      note: "A line is an instance, a tooth a snapshot; its shape says what keeps it. Right of now a line shows how long it stays. The instances are those of the list below.",
    },
    combOf.element,
  );
  fill(columns, h("div", { class: "stack" }, above, bar, table), drawer);
  opened();
  return h(
    "div",
    { class: "page" },
    head("Snapshots", {
      note: "Which do I want, and how long will it be here?",
      tools: curlButton("GET", path),
    }),
    filters(page, {
      search: "Name, instance or id",
      selects: [
        {
          name: "status",
          label: "Any status",
          options: STATUSES.map((word) => [word, words(word)]),
        },
        {
          name: "region",
          label: "Any region",
          options: regions.map((/** @type {string} */ region) => [region, region]),
        },
        {
          name: "origin",
          label: "Any origin",
          options: ORIGINS.map((word) => [word, words(word)]),
        },
        {
          name: "show",
          label: "All, or only…",
          options: [
            ["held", "held"],
            ["blocked", "blocked"],
            ["review", "to be looked at"],
            ["gone", "with deleted ones"],
          ],
        },
      ],
    }),
    columns,
  );
}

/** What each list of the review is called. @type {[string, string][]} */
const REVIEWED = [
  ["damaged", "damaged"],
  ["held_review_due", "hold to be reviewed"],
  ["blocked_long", "blocked for long"],
  ["kept_without_rules", "kept without rules"],
];

/** The items of an answer; those of the review are in several lists. @param {any} answer */
function itemsOf(answer) {
  if (!answer.held_review_due) return answer.items;
  return REVIEWED.flatMap(([name, text]) => answer[name].items.map((/** @type {any} */ item) => ({ ...item, review: text })));
}

/** What of the API this view is. @param {Record<string, string>} query */
function listed({ show: which, q, status, region, origin, instance_id, schedule_id }) {
  if (which === "held") return "/v1/holds?limit=100";
  if (which === "blocked") return "/v1/sweeps/blocked?limit=100";
  if (which === "review") return "/v1/snapshots/review";
  return withQuery("/v1/snapshots", {
    q,
    status,
    region,
    origin,
    instance_id,
    schedule_id,
    include_deleted: which === "gone" ? "true" : "",
    include: "fate",
    limit: 25,
  });
}

/** @param {any} item */
function fate(item) {
  if (item.condemned)
    return h(
      "div",
      { class: "clip" },
      h("span", null, "goes ", time(item.condemned.delete_after, "relative")),
      h("div", { class: "note" }, humane(item.condemned.reason)),
    );
  if (item.failure) return h("span", { class: "clip" }, humane(item.failure.message));
  if (item.hold)
    return h(
      "div",
      { class: "clip" },
      h("span", { class: "row" }, mark("calm"), item.hold.until ? ["held until ", time(item.hold.until)] : "held"),
      h("div", { class: "note", dir: "auto" }, item.hold.reason),
    );
  if (item.why) return h("span", { class: "clip" }, humane(item.why));
  if (item.detail) return h("span", { class: "clip" }, humane(item.detail));
  const known = item.fate;
  if (!known) return "–";
  return h(
    "div",
    { class: "clip" },
    known.outlook === "never" ? "stays" : known.expected_deletion_at ? ["goes ", time(known.expected_deletion_at, "relative")] : "not foreseen",
    h(
      "div",
      { class: "row" },
      known.kept_by.map((/** @type {string} */ reason) => badge("calm", spelt(humane(words(reason))))),
    ),
  );
}

/** @param {number} percent */
const progress = (percent) =>
  h(
    "div",
    { class: "progress" },
    h("progress", { max: 100, value: percent, "aria-label": "Progress" }),
    h("span", { class: "note" }, `${percent} %`),
  );

/** Pictures are functions of what the API answers: each is drawn of a recorded answer, and its parts are counted. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { example, launch, look, start, visit } from "./harness.js";

/** @type {import("./harness.js").Run} */
let run;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let page;
/** @type {string} */
let base;
before(async () => {
  run = await start([]);
  browser = await launch();
  ({ page } = await look(browser, run));
  await visit(page, "#/settings");
  base = await page.evaluate(() => /** @type {HTMLScriptElement} */ (document.querySelector("script[type=module]")).src.replace(/main\.js$/, ""));
});
after(async () => {
  await browser.close();
  await run.stop();
});

/**
 * Draws `name` of `module` with `given`, and says of each selector how many there are.
 * @param {string} module @param {string} name @param {any[]} given @param {string[]} selectors
 * @returns {Promise<any>}
 */
function drawn(module, name, given, selectors) {
  return page.evaluate(
    async ([from, what, them, wanted]) => {
      const picture = (await import(`${from}`))[`${what}`](.../** @type {any[]} */ (them));
      const whole = document.createElement("div");
      whole.append(picture);
      const count = Object.fromEntries(/** @type {string[]} */ (wanted).map((each) => [each, whole.querySelectorAll(each).length]));
      const label = whole.querySelector("[aria-label]")?.getAttribute("aria-label") ?? "";
      return { ...count, label };
    },
    /** @type {any} */ ([`${base}pictures/${module}.js`, name, given, selectors]),
  );
}

const DAY = 86_400_000;
const NOW = Date.parse("2026-03-02T10:00:00Z");

/** @param {Partial<any>} more */
const tooth = (more) => ({
  id: `snp_${Math.random()}`,
  name: "one",
  taken_at: "2026-03-01T00:00:00Z",
  status: "available",
  kept_by: [],
  outlook: "never",
  goes_at: null,
  held: false,
  ...more,
});

test("the_comb_has_a_tooth_for_each_snapshot_and_its_shape_says_what_keeps_it", async () => {
  const teeth = [
    tooth({ taken_at: "2026-02-01T00:00:00Z", kept_by: ["monthly 1 of 3", "daily 2 of 7"] }),
    tooth({ taken_at: "2026-02-10T00:00:00Z", kept_by: ["weekly 1 of 4"] }),
    tooth({ taken_at: "2026-02-20T00:00:00Z", held: true }),
    tooth({ taken_at: "2026-02-25T00:00:00Z", status: "condemned", goes_at: "2026-03-02T12:00:00Z" }),
    tooth({ taken_at: "2026-03-01T00:00:00Z", kept_by: ["newest"] }),
  ];
  const found = await drawn(
    "comb",
    "comb",
    [[{ id: "i-1", name: "web", href: "#/", teeth }], { width: 1000, now: NOW }],
    [".tooth", ".tooth.monthly", ".tooth.weekly", ".tooth.hold", ".tooth.condemned", ".tooth.newest", ".tail"],
  );
  assert.deepEqual(
    { ...found, label: "" },
    {
      ".tooth": 5,
      ".tooth.monthly": 1,
      ".tooth.weekly": 1,
      ".tooth.hold": 1,
      ".tooth.condemned": 1,
      ".tooth.newest": 1,
      ".tail": 5,
      label: "",
    },
  );
});

test("a_comb_of_ten_thousand_snapshots_draws_no_more_teeth_than_there_is_room_for", async () => {
  const teeth = Array.from({ length: 10_000 }, (_, at) => tooth({ taken_at: new Date(NOW - at * 3_600_000).toISOString() }));
  const found = await drawn("comb", "comb", [[{ id: "i-1", name: "web", href: "#/", teeth }], { width: 1000, now: NOW }], [".tooth"]);
  assert.ok(found[".tooth"] > 20 && found[".tooth"] <= 200, String(found[".tooth"]));
});

test("the_comb_takes_what_the_api_recorded", async () => {
  const answer = /** @type {any} */ (example("list_snapshots"));
  const { items } = answer;
  const teeth = items.map((/** @type {any} */ item) =>
    tooth({
      id: item.id,
      taken_at: item.taken_at ?? item.created_at,
      status: item.status,
      kept_by: item.fate?.kept_by ?? [],
    }),
  );
  const found = await drawn("comb", "comb", [[{ id: "i-1", name: "web", href: "#/", teeth }], { width: 800, now: NOW }], [".tooth"]);
  assert.ok(items.length > 0 && found[".tooth"] > 0);
});

test("the_punch_card_has_the_worst_on_top_and_a_shape_for_each_outcome", async () => {
  const dates = ["2026-02-28", "2026-03-01", "2026-03-02"];
  const day = (/** @type {string} */ date, /** @type {any} */ more) => ({
    date,
    due: 1,
    met: 0,
    late: 0,
    missed: 0,
    failed: 0,
    put_off: 0,
    open: 0,
    ...more,
  });
  const rows = [
    { id: "i-1", name: "fine", href: "#/", coming: 1, days: dates.map((date) => day(date, { met: 1 })) },
    {
      id: "i-2",
      name: "bad",
      href: "#/",
      coming: 0,
      days: [day(dates[0], { late: 1 }), day(dates[1], { missed: 1 }), day(dates[2], { failed: 1 })],
    },
  ];
  const found = await drawn(
    "punchcard",
    "punchCard",
    [rows, { dates }],
    [".slot.met", ".slot.late", ".slot.missed", ".slot.failed", ".slot.coming", ".punch-row"],
  );
  assert.deepEqual(
    { ...found, label: "" },
    {
      ".slot.met": 3,
      ".slot.late": 1,
      ".slot.missed": 1,
      ".slot.failed": 1,
      ".slot.coming": 1,
      ".punch-row": 2,
      label: "",
    },
  );
  const first = await page.evaluate(
    async ([from, given]) =>
      (await import(`${from}`)).punchCard(given, { dates: ["2026-02-28", "2026-03-01", "2026-03-02"] }).querySelector(".punch-row a").textContent,
    /** @type {any} */ ([`${base}pictures/punchcard.js`, rows]),
  );
  assert.equal(first, "bad");
});

test("the_river_marks_what_an_edit_loses_and_what_the_clock_change_skips", async () => {
  const days = Array.from({ length: 60 }, (_, at) => ({
    date: new Date(NOW + at * DAY).toISOString().slice(0, 10),
    snapshots: Math.min(at, 7),
    oldest: at ? new Date(NOW + Math.max(0, at - 7) * DAY).toISOString() : null,
    missed: at === 27 ? ["2026-03-29T02:30:00"] : [],
    survivors: at % 30 ? undefined : Array.from({ length: Math.min(at, 7) }, (_, each) => new Date(NOW + (at - each) * DAY).toISOString()),
  }));
  const found = await drawn(
    "river",
    "river",
    [days, { width: 800, lost: [{ date: "2026-02-01T00:00:00Z" }, { date: "2026-02-08T00:00:00Z" }] }],
    [".lost", ".gap", ".water", ".scrub", ".survivors"],
  );
  assert.deepEqual({ ...found, label: "" }, { ".lost": 2, ".gap": 1, ".water": 1, ".scrub": 1, ".survivors": 1, label: "" });
  assert.match(found.label, /60 days ahead: at most 7 snapshots/);
});

test("the_river_has_a_dot_for_each_survivor_but_for_those_that_lie_on_another", async () => {
  const taken = (/** @type {number} */ days) => new Date(NOW - days * DAY).toISOString();
  const day = { date: new Date(NOW).toISOString().slice(0, 10), snapshots: 4, oldest: taken(300), missed: [] };
  const survivors = [taken(300), taken(299.9), taken(30), taken(1)];
  const path = await page.evaluate(
    async ([from, given]) => {
      const { river } = await import(`${from}`);
      return river(given, { width: 800 }).querySelector(".survivors").getAttribute("d");
    },
    /** @type {any} */ ([
      `${base}pictures/river.js`,
      [
        { ...day, survivors },
        { ...day, date: "2026-03-03" },
      ],
    ]),
  );
  assert.equal(path.match(/M/g).length, 3, path);
});

test("the_bar_of_reasons_leaves_out_what_there_is_none_of", async () => {
  const found = await drawn(
    "reasons",
    "reasonBar",
    [
      [
        { key: "keep", text: "stays", number: 440, tone: "keep" },
        { key: "delete", text: "goes", number: 109, tone: "delete" },
        { key: "blocked", text: "blocked", number: 0, tone: "blocked" },
      ],
      { width: 600 },
    ],
    [".part", ".legend li"],
  );
  assert.equal(found[".part"], 2);
  assert.equal(found[".legend li"], 3);
});

test("the_step_rail_has_a_knot_for_each_step_of_a_recorded_restore", async () => {
  const { steps } = /** @type {any} */ (example("show_restore"));
  const found = await drawn("rail", "stepRail", [steps, { label: "Steps" }], ["li", ".knot"]);
  assert.equal(found.li, steps.length);
  assert.equal(found[".knot"], steps.length);
});

test("the_life_line_puts_each_event_into_its_lane_and_shape", async () => {
  const at = new Date(NOW - DAY).toISOString();
  const happenings = [
    { at, lane: "Snapshots", tone: "good", text: "available" },
    { at, lane: "Restores", tone: "bad", text: "failed" },
    { at: new Date(NOW - 90 * DAY).toISOString(), lane: "Runs", tone: "warn", text: "long ago" },
  ];
  const found = await drawn(
    "lifeline",
    "lifeLine",
    [happenings, { width: 800, from: NOW - 10 * DAY, to: NOW, now: NOW }],
    [".event", ".event.good", ".event.bad"],
  );
  assert.deepEqual({ ...found, label: "" }, { ".event": 2, ".event.good": 1, ".event.bad": 1, label: "" });
});

test("the_marimekko_shows_even_the_smallest_owner_and_hatches_what_is_orphaned", async () => {
  const columns = [
    { owner: "ours", count: 900, gib: 100_000, orphanedCount: 0, orphanedGib: 0 },
    { owner: "other", count: 2, gib: 16, orphanedCount: 1, orphanedGib: 8 },
  ];
  const found = await drawn("mosaic", "mosaic", [columns, { width: 800 }], [".column", ".lost", ".hatch"]);
  assert.equal(found[".column"], 2);
  assert.equal(found[".lost"], 1);
  assert.ok(found[".hatch"] > 0);
});

test("a_level_over_months_and_a_waterfall_are_drawn_of_numbers", async () => {
  const found = await drawn(
    "waterfall",
    "waterfall",
    [
      [
        { text: "a", from: 0, to: 8, tone: "full" },
        { text: "b", from: 0, to: 2, tone: "frees" },
      ],
      { width: 500 },
    ],
    [".bar", "rect"],
  );
  assert.deepEqual([found[".bar"], found.rect], [2, 2]);
});

test("every_helper_module_is_short_and_every_text_is_text", async () => {
  const { readdirSync, readFileSync } = await import("node:fs");
  const folder = new URL("../../functions/console/assets/", import.meta.url);
  for (const name of readdirSync(new URL("lib/", folder))) {
    const lines = readFileSync(new URL(`lib/${name}`, folder), "utf8").split("\n").length;
    assert.ok(lines <= 150, `lib/${name} has ${lines} lines`);
  }
});

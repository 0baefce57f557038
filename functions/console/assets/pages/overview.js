/** Is everything safe, and what must I do? */

import { ask, withQuery } from "../lib/api.js";
import { now } from "../lib/clock.js";
import { fill, h } from "../lib/dom.js";
import { follow } from "../lib/follow.js";
import { capital, count, gib, humane, plural, relative, time, words } from "../lib/format.js";
import { head, room } from "../lib/head.js";
import { instanceLink, scheduleLink } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { empty, figure, section, skeleton, trouble } from "../lib/parts.js";
import { link } from "../lib/router.js";
import { lastDays, punchCard, punchLegend, punchTable } from "../pictures/punchcard.js";

/** How many things to do are shown at once: on a phone what is below them should be in sight. */
const TODOS = innerWidth < 620 ? 3 : 5;

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const todos = h(
    "div",
    { class: "todos" },
    Array.from({ length: 3 }, () => h("div", { class: "todo waiting" })),
  );
  const figures = h(
    "div",
    { class: "figures" },
    Array.from({ length: 6 }, () => h("div", { class: "figure waiting" })),
  );
  let shown = "";
  let counted = false;
  page.use("/v1/overview", ({ data, error }) => {
    if (data) {
      // What somebody has unfolded stays so while nothing new is to be done.
      const said = JSON.stringify(data.todo.items);
      if (said !== shown) fill(todos, things(data.todo.items));
      shown = said;
      fill(figures, numbers(data.statistics, data.protection));
    } else if (error && !counted) {
      counted = true;
      fill(todos, h("p", { class: "note" }, "What is to be done cannot be said just now."));
      page.use("/v1/snapshots/stats", (state) => (state.data || state.error) && fill(figures, state.data && numbers(state.data, null)));
    }
  });
  return h(
    "div",
    { class: "page" },
    head("Overview", { note: "Is everything safe, and what must I do?" }),
    todos,
    figures,
    section(
      `The last ${shownDays() === 30 ? "thirty" : shownDays()} days`,
      {
        note: "A row is an instance, the worst first; a cell is what became of the slots that were promised that day. To the right: the next 24 hours.",
        tools: h("a", { href: link("/runs", { status: "amiss" }) }, "Runs that went wrong"),
      },
      card(page),
    ),
    section("Next", {}, fires(page)),
  );
}

/** @param {any[]} items */
function things(items) {
  if (items.length === 0) return h("div", { class: "todo fine" }, mark("good"), h("strong", null, "Nothing waits for you."));
  const all = h("div", { class: "todos" }, items.slice(TODOS).map(thing));
  all.hidden = true;
  const more = items.length - TODOS;
  return [
    items.slice(0, TODOS).map(thing),
    more > 0 &&
      h(
        "button",
        {
          type: "button",
          class: "button quiet",
          onclick: (/** @type {any} */ event) => {
            all.hidden = false;
            event.target.remove();
          },
        },
        `Show ${more} more`,
      ),
    all,
  ];
}

/** What is to be done about each kind, as its button says it. */
const ACTS = /** @type {Record<string, string>} */ ({
  sweep_needs_approval: "Look and approve",
  restore_failed: "See the restore",
  drill_failed: "See the schedule",
  run_failed: "See the schedule",
});

/** @param {any} item */
function thing(item) {
  const act = ACTS[item.kind] ?? "Look";
  return h(
    "div",
    { class: `todo ${item.severity === "high" ? "bad" : ""}` },
    mark(item.severity === "high" ? "bad" : "warn"),
    h(
      "div",
      null,
      h(
        "div",
        { class: "row" },
        h("strong", null, capital(words(item.kind)), item.count > 1 && ` (${count(item.count)}${item.more ? " or more" : ""})`),
        item.since && h("span", { class: "faint note" }, "since ", time(item.since, "relative")),
      ),
      h("p", { class: "short" }, capital(humane(item.detail))),
    ),
    h(
      "a",
      {
        class: "button",
        href: placeOf(item.path),
        "aria-label": `${act}: ${humane(item.detail)}`,
      },
      act,
    ),
  );
}

/** Where this page shows what the API shows there. @param {string} path */
export function placeOf(path) {
  const [name, query = ""] = path.replace(/^\/v1/, "").split("?");
  if (name.startsWith("/holds")) return link("/snapshots", { show: "held" });
  if (name === "/sweeps/blocked") return link("/snapshots", { show: "blocked" });
  if (name.startsWith("/snapshots/review")) return link("/snapshots", { show: "review" });
  if (name.startsWith("/reconciliation")) return `#/account${query ? `?${query}` : ""}`;
  const run = /^\/schedules\/([^/]+)\/runs/.exec(name);
  if (run) return link(`/schedules/${run[1]}`);
  return `#${name}${query ? `?${query}` : ""}`;
}

/** @param {any} stats @param {any} protection */
function numbers(stats, protection) {
  const growth = stats.growth ?? [];
  const week = growth.slice(-7).reduce((/** @type {number} */ sum, /** @type {any} */ day) => sum + day.added - day.gone, 0);
  return [
    protection &&
      figure(
        "Protected",
        h("a", { href: link("/instances", { protection: "ok" }) }, count(protection.ok)),
        `of ${count(protection.ok + protection.late + protection.unprotected + protection.unknown)} instances`,
      ),
    protection &&
      figure("Late", h("a", { href: link("/instances", { protection: "late" }) }, count(protection.late)), "not as their schedules promise"),
    protection &&
      figure(
        "Unprotected",
        h("a", { href: link("/instances", { protection: "unprotected" }) }, count(protection.unprotected)),
        "no schedule is for them",
      ),
    figure("Snapshots", h("a", { href: link("/snapshots") }, count(stats.snapshots)), `${week >= 0 ? "+" : ""}${count(week)} within a week`),
    figure("Size of their volumes", gib(stats.size.size_gib), "what they would fill if restored"),
    stats.newest &&
      figure(
        "Newest",
        h("a", { href: link(`/snapshots/${stats.newest.snapshot_id}`) }, relative(stats.newest.taken_at)),
        h("bdi", null, stats.newest.name),
      ),
  ];
}

/** A month, or as many days as a phone has room for: beside the names (and the frame) each takes 18 pixels. */
const shownDays = () => (innerWidth < 620 ? Math.max(7, Math.min(14, Math.floor((innerWidth - 226) / 18))) : 30);

/** @param {import("../lib/page.js").Page} page */
function card(page) {
  const days = shownDays();
  const dates = lastDays(now(), days);
  const path = withQuery("/v1/instances/slots", {
    from: dates[0],
    to: dates[dates.length - 1],
    limit: 50,
  });
  const element = h("div", { class: "followed" });
  /** @type {any} */
  let calendar = null;
  /** Further instances that somebody has asked for. @type {any[]} */
  let more = [];
  /** @type {string | null} */
  let cursor = null;
  const draw = () => {
    const items = [...calendar.items, ...more];
    const rows = items.map((/** @type {any} */ item) => ({
      id: item.instance_id,
      name: item.instance_name ?? item.instance_id,
      href: link(`/instances/${item.instance_id}`),
      days: item.days,
      coming: item.coming,
    }));
    if (rows.length === 0 && !cursor) return fill(element, firstSteps());
    const promised = rows.filter((/** @type {any} */ row) => row.days.length > 0 || row.coming > 0);
    const bare = rows.length - promised.length;
    return fill(
      element,
      punchLegend(),
      punchCard(promised, { dates, width: room() }),
      bare > 0 && h("p", { class: "note" }, `${plural(bare, "instance")} without any slot ${bare === 1 ? "is" : "are"} left out.`),
      cursor &&
        h(
          "div",
          { class: "row" },
          h("span", { class: "note" }, `These are the first ${rows.length} instances.`),
          h("button", { type: "button", class: "button", id: "more-instances", onclick: next }, "Look at the next fifty"),
        ),
      h(
        "details",
        null,
        h("summary", null, "The same as a table"),
        h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Slots by instance" }, punchTable(promised, dates)),
      ),
    );
  };
  async function next(/** @type {any} */ event) {
    event.target.disabled = true;
    try {
      const answer = await ask("GET", withQuery(path, { cursor }));
      more = [...more, ...answer.items];
      cursor = answer.next_cursor;
      draw();
    } catch (error) {
      element.append(trouble(error));
    }
  }
  page.use(path, ({ data, error, loading }) => {
    if (data && more.length === 0) cursor = data.next_cursor;
    calendar = data ?? calendar;
    if (calendar) draw();
    else if (error) fill(element, error.status < 500 ? protection(page) : trouble(error));
    else if (loading) fill(element, skeleton(10));
  });
  return element;
}

/** While there is no calendar of slots: the instances that are not as promised. @param {import("../lib/page.js").Page} page */
function protection(page) {
  return follow(page, "/v1/instances?limit=200", (data) => {
    if (data.items.length === 0) return firstSteps();
    const ranks = ["unprotected", "late", "ok"];
    const sorted = [...data.items].sort((a, b) => ranks.indexOf(a.protection.status) - ranks.indexOf(b.protection.status));
    return h(
      "ul",
      { class: "stack" },
      sorted
        .slice(0, 12)
        .map((each) =>
          h(
            "li",
            { class: "row spread" },
            instanceLink(each.id, each.name),
            badge(each.protection.status),
            h("span", { class: "note grow" }, humane(each.protection.reason)),
          ),
        ),
    );
  });
}

/** The next fire of each schedule. @param {import("../lib/page.js").Page} page */
function fires(page) {
  return follow(page, "/v1/schedules/upcoming?hours=24", (data) => {
    if (data.items.length === 0) return empty("Nothing fires within a day", h("a", { href: link("/schedules") }, "To the schedules"));
    /** @type {Map<string, any[]>} */
    const schedules = new Map();
    for (const fire of data.items) schedules.set(fire.schedule_id, [...(schedules.get(fire.schedule_id) ?? []), fire]);
    return h(
      "ul",
      { class: "feed" },
      [...schedules.values()].map(([fire, ...more]) =>
        h(
          "li",
          null,
          time(fire.at, "relative"),
          h(
            "div",
            { class: "what" },
            scheduleLink(fire.schedule_id, fire.schedule_name),
            h(
              "span",
              { class: "note" },
              time(fire.at),
              fire.named_instances ? `, ${plural(fire.named_instances, "named instance")}` : "",
              fire.selects_by_tags ? ", by tags" : "",
              more.length > 0 && `, and ${more.length} ${more.length === 1 ? "time" : "times"} more within a day`,
            ),
          ),
        ),
      ),
    );
  });
}

/** The way in, on a fresh run. */
export function firstSteps() {
  return empty(
    "Nothing here yet. Three steps to a protected account",
    h(
      "ol",
      { class: "steps" },
      h("li", null, h("a", { href: link("/instances", { eligible: "true" }) }, "Take a snapshot of an instance")),
      h("li", null, h("a", { href: link("/schedules/new/edit") }, "Make a schedule")),
      h("li", null, h("a", { href: link("/sweeps") }, "See what a sweep would do")),
    ),
  );
}

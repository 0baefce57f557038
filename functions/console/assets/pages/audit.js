/** Who, what, why? */

import { ask, withQuery } from "../lib/api.js";
import { now } from "../lib/clock.js";
import { fill, h } from "../lib/dom.js";
import { head } from "../lib/head.js";
import { words } from "../lib/format.js";
import { identifier, told } from "../lib/ids.js";
import { badge } from "../lib/marks.js";
import { curlButton, empty, skeleton, trouble } from "../lib/parts.js";
import { filters } from "../lib/filters.js";
import { setQuery } from "../lib/router.js";
import { hrefOf } from "./instance.js";

const KINDS = [
  "snapshot.condemned",
  "snapshot.deleted",
  "snapshot.held",
  "snapshot.released",
  "snapshot.rescued",
  "snapshot.failed",
  "schedule.created",
  "schedule.edited",
  "schedule.deleted",
  "run.missed",
  "sweep.needs_approval",
  "sweep.approved",
  "restore.requested",
  "restore.finished",
  "restore.failed",
  "drill.failed",
];

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const feed = h("div", { class: "stack" });
  const foot = h("div", { class: "foot" });
  const path = () => {
    const { who, action, resource_id, instance_id, day } = page.query;
    return withQuery("/v1/audit", {
      who,
      action,
      resource_id,
      instance_id,
      day,
      limit: 60,
    });
  };
  /** @type {any[]} */
  let more = [];
  /** @type {any[]} */
  let first = [];
  /** @type {string | null} */
  let cursor = null;
  let shown = "";
  /** @type {null | (() => void)} */
  let stop = null;

  function sync() {
    if (shown === path()) return;
    stop?.();
    [shown, more, cursor] = [path(), [], null];
    stop = page.use(shown, ({ data, error, loading }) => {
      if (!data) {
        fill(feed, error ? trouble(error) : loading && skeleton(8));
        return;
      }
      first = data.items;
      if (more.length === 0) cursor = data.next_cursor;
      draw();
    });
  }

  function draw() {
    const seen = new Set(first.map((item) => item.id));
    const items = [...first, ...more.filter((item) => !seen.has(item.id))];
    fill(feed, days(items));
    fill(
      foot,
      items.length === 0 && !cursor && empty("Nothing like this is told"),
      cursor && h("button", { type: "button", class: "button", id: "older", onclick: older }, "Older"),
    );
  }

  async function older() {
    try {
      const answer = await ask("GET", withQuery(shown, { cursor }));
      more = [...more, ...answer.items];
      cursor = answer.next_cursor;
      draw();
    } catch (error) {
      fill(foot, trouble(error));
    }
  }

  const who = h("input", {
    type: "search",
    placeholder: "Who",
    "aria-label": "Who",
    value: page.query.who ?? "",
    onchange: (/** @type {any} */ event) => setQuery({ who: event.target.value }, { step: true }),
  });
  const what = h("input", {
    type: "search",
    placeholder: "Id of a record",
    "aria-label": "Id of a record",
    value: page.query.resource_id ?? "",
    onchange: (/** @type {any} */ event) => setQuery({ resource_id: event.target.value.trim() }, { step: true }),
  });
  const day = h("input", {
    type: "date",
    "aria-label": "Day",
    max: new Date(now()).toISOString().slice(0, 10),
    value: page.query.day ?? "",
    onchange: (/** @type {any} */ event) => setQuery({ day: event.target.value }, { step: true }),
  });
  page.onQuery(sync);
  sync();
  return h(
    "div",
    { class: "page" },
    head("Audit", {
      note: "Who did what, and why: every change, by people and by rules.",
      tools: curlButton("GET", path),
    }),
    filters(page, {
      selects: [
        {
          name: "action",
          label: "Any action",
          options: KINDS.map((word) => [word, words(word)]),
        },
      ],
      more: [who, what, day],
    }),
    h("div", { class: "section" }, feed, foot),
  );
}

/** @param {any[]} items */
function days(items) {
  /** @type {Map<string, any[]>} */
  const groups = new Map();
  for (const item of items) {
    const day = new Date(item.at).toLocaleDateString("en-GB", {
      weekday: "long",
      day: "numeric",
      month: "long",
      year: "numeric",
    });
    groups.set(day, [...(groups.get(day) ?? []), item]);
  }
  return [...groups].map(([day, entries]) => h("section", { class: "stack" }, h("h2", null, day), h("ul", { class: "feed" }, entries.map(entry))));
}

/** @param {any} item */
function entry(item) {
  const tone = /failed|missing|damaged/.test(item.action)
    ? "bad"
    : /missed|blocked|condemned|deleted|needs_approval|refused/.test(item.action)
      ? "warn"
      : "calm";
  return h(
    "li",
    null,
    h(
      "time",
      {
        class: "faint",
        datetime: item.at,
        "data-tip": new Date(item.at).toISOString(),
      },
      new Date(item.at).toLocaleTimeString("en-GB", {
        hour: "2-digit",
        minute: "2-digit",
      }),
    ),
    h(
      "div",
      { class: "what" },
      h("div", { class: "row" }, h("a", { href: hrefOf(item) }, h("bdi", null, told(item.summary))), badge(tone, words(item.action))),
      h(
        "div",
        { class: "row note" },
        h("span", null, item.actor.type === "person" ? "" : "by rule: ", h("bdi", null, item.actor.who), item.actor.role && ` (${item.actor.role})`),
        item.reason && h("span", null, "“", h("bdi", null, item.reason), "”"),
        identifier(item.resource_id),
        item.actor.request_id && identifier(item.actor.request_id),
      ),
      item.changes.length > 0 &&
        h(
          "details",
          null,
          h("summary", { class: "note" }, `What changed: ${item.changes.map((/** @type {any} */ change) => words(change.field)).join(", ")}`),
          h(
            "dl",
            { class: "facts" },
            item.changes.map((/** @type {any} */ change) =>
              h(
                "div",
                null,
                h("dt", null, words(change.field)),
                h("dd", null, h("code", null, shownValue(change.before)), " → ", h("code", null, shownValue(change.after))),
              ),
            ),
          ),
        ),
    ),
  );
}

/** @param {any} value */
const shownValue = (value) => (value === null || value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value));

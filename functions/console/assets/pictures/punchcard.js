/** The punch card: instances by days, a cell what became of the slots that were promised. */

import { h, s } from "../lib/dom.js";
import { plural } from "../lib/format.js";

/** @typedef {{date: string, due: number, met: number, late: number, missed: number, failed: number, put_off: number, open: number}} Day */
/** @typedef {{id: string, name: string, href: string, days: Day[], coming: number}} Row */

const CELL = 15;
const GAP = 3;
/** What the names beside the cells take, with the space after them. */
const NAMES = 190;

/** The word for a day: the worst of what happened in it. @param {Day | undefined} day */
export function outcome(day) {
  if (!day || day.due === 0) return "none";
  if (day.failed > 0) return "failed";
  if (day.missed > 0) return "missed";
  if (day.late > 0) return "late";
  if (day.met > 0) return "met";
  return day.put_off > 0 ? "skipped" : "open";
}

/** How bad a row is, for the worst on top: the latest days weigh most. @param {Row} row @param {string[]} dates */
export function badness(row, dates) {
  const weight = /** @type {Record<string, number>} */ ({
    failed: 8,
    missed: 8,
    late: 3,
    skipped: 1,
  });
  return dates.reduce((sum, date, at) => sum + (weight[outcome(row.days.find((day) => day.date === date))] ?? 0) * (1 + at / dates.length), 0);
}

/** Days in a row, oldest first. @param {number} now @param {number} length */
export function lastDays(now, length) {
  return Array.from({ length }, (_, at) => new Date(now - (length - 1 - at) * 86_400_000).toISOString().slice(0, 10));
}

/** @param {Row[]} rows @param {{dates: string[], hours?: number, width?: number}} options `width`: the room that there is */
export function punchCard(rows, { dates, hours = 24, width: room = 0 }) {
  const width = dates.length * (CELL + GAP) + 14 + 34;
  // Where there is room, cells are larger: easier to hit, and to read from afar.
  const scale = Math.min(1.4, Math.max(1, (room - NAMES) / width));
  const sorted = [...rows].sort((a, b) => badness(b, dates) - badness(a, dates) || a.name.localeCompare(b.name, "en", { numeric: true }));
  return h(
    "div",
    {
      class: "punch",
      role: "group",
      "aria-label": `Slots of the last ${dates.length} days, and of the next ${hours} hours`,
    },
    h("div", { class: "punch-head", "aria-hidden": "true" }, h("span"), head(dates, width, scale)),
    sorted.map((row) =>
      h("div", { class: "punch-row" }, h("a", { href: row.href, class: "punch-name", dir: "auto" }, row.name), cells(row, dates, width, scale)),
    ),
  );
}

/** @param {string[]} dates @param {number} width @param {number} scale */
function head(dates, width, scale) {
  return s(
    "svg",
    { viewBox: `0 0 ${width * scale} 16`, width: width * scale, height: 16 },
    dates.map((date, at) => {
      const day = new Date(`${date}T12:00:00Z`);
      return (
        (day.getUTCDay() === 1 || at === 0) &&
        at < dates.length - 1 &&
        !(at === 0 && day.getUTCDay() === 0) &&
        s(
          "text",
          { class: "tick", x: at * (CELL + GAP) * scale, y: 12 },
          day.toLocaleDateString("en-GB", {
            day: "numeric",
            month: "short",
            timeZone: "UTC",
          }),
        )
      );
    }),
    s("text", { class: "tick", x: (width - 34) * scale, y: 12 }, "next"),
  );
}

/** @param {Row} row @param {string[]} dates @param {number} width @param {number} scale */
function cells(row, dates, width, scale) {
  const byDate = new Map(row.days.map((day) => [day.date, day]));
  const counts = /** @type {Record<string, number>} */ ({});
  const marks = dates.map((date, at) => {
    const day = byDate.get(date);
    const word = outcome(day);
    counts[word] = (counts[word] ?? 0) + 1;
    return cell(word, at * (CELL + GAP), tell(date, day));
  });
  const worst = ["failed", "missed", "late"].filter((word) => counts[word]).map((word) => `${plural(counts[word], "day")} ${word}`);
  const label = `${row.name}: ${worst.length ? worst.join(", ") : "all slots met"}; ${row.coming ? plural(row.coming, "slot") : "nothing"} within a day`;
  const next = width - 34;
  return s(
    "svg",
    {
      viewBox: `0 0 ${width} ${CELL}`,
      width: width * scale,
      height: CELL * scale,
      role: "img",
      "aria-label": label,
    },
    marks,
    s("line", {
      class: "now",
      x1: next - 8,
      x2: next - 8,
      y1: -2,
      y2: CELL + 2,
    }),
    s(
      "g",
      {
        class: row.coming ? "slot coming" : "slot none",
        "data-tip": row.coming ? `${plural(row.coming, "slot")} within 24 h` : "Nothing is due within 24 h",
      },
      s("rect", { x: next, y: 0.5, width: CELL * 2, height: CELL - 1, rx: 2 }),
      row.coming
        ? Array.from({ length: 6 }, (_, at) =>
            s("path", {
              class: "hatch",
              d: `M${next + 1 + at * 5} ${CELL - 1}l5 ${-CELL + 2}`,
            }),
          )
        : null,
    ),
  );
}

/** A cell: a shape for each word, so that it is read without colour. @param {string} word @param {number} x @param {string} tip */
function cell(word, x, tip) {
  const box = s("rect", {
    x: x + 0.5,
    y: 0.5,
    width: CELL - 1,
    height: CELL - 1,
    rx: 2,
  });
  const half = CELL / 2;
  const more = /** @type {Record<string, string>} */ ({
    late: `M${x + half} 4v4l3 2`,
    missed: `M${x + 4} ${half}h${CELL - 8}`,
    failed: `M${x + 4} 4l${CELL - 8} ${CELL - 8} M${x + CELL - 4} 4l${8 - CELL} ${CELL - 8}`,
    skipped: `M${x + half} ${half}h.1`,
  })[word];
  return s("g", { class: `slot ${word}`, "data-tip": tip }, box, more && s("path", { d: more }));
}

/** @param {string} date @param {Day | undefined} day */
function tell(date, day) {
  if (!day || day.due === 0) return `${date}: nothing was promised`;
  const parts = [
    ["met", day.met],
    ["late", day.late],
    ["missed", day.missed],
    ["failed", day.failed],
    ["put off", day.put_off],
    ["under way", day.open],
  ];
  return `${date}: ${plural(day.due, "slot")}, ${
    parts
      .filter(([, number]) => number)
      .map(([word, number]) => `${number} ${word}`)
      .join(", ") || "none over yet"
  }`;
}

/** The same as a table. @param {Row[]} rows @param {string[]} dates */
export function punchTable(rows, dates) {
  /** @param {Row} row @param {keyof Day} name */
  const sum = (row, name) => row.days.filter((day) => dates.includes(day.date)).reduce((all, day) => all + Number(day[name] ?? 0), 0);
  const names = /** @type {(keyof Day)[]} */ (["due", "met", "late", "missed", "failed", "put_off"]);
  return h(
    "table",
    { class: "list" },
    h("caption", { class: "unseen" }, "Slots by instance"),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("th", { scope: "col" }, "Instance"),
        names.map((name) => h("th", { scope: "col", class: "number" }, name.replace("_", " "))),
        h("th", { scope: "col", class: "number" }, "next 24 h"),
      ),
    ),
    h(
      "tbody",
      null,
      rows.map((row) =>
        h(
          "tr",
          null,
          h("th", { scope: "row", "data-label": "Instance" }, h("a", { href: row.href, dir: "auto" }, row.name)),
          names.map((name) => h("td", { class: "number", "data-label": name.replace("_", " ") }, sum(row, name))),
          h("td", { class: "number", "data-label": "next 24 h" }, row.coming),
        ),
      ),
    ),
  );
}

export function punchLegend() {
  const said = [
    ["met", "met"],
    ["late", "late"],
    ["missed", "missed"],
    ["failed", "failed"],
    ["skipped", "put off"],
    ["none", "nothing due"],
  ];
  return h(
    "ul",
    { class: "legend", "aria-label": "What a cell says" },
    said.map(([word, text]) =>
      h(
        "li",
        null,
        s(
          "svg",
          {
            viewBox: `0 0 ${CELL} ${CELL}`,
            width: CELL,
            height: CELL,
            "aria-hidden": "true",
          },
          cell(word, 0, ""),
        ),
        text,
      ),
    ),
  );
}

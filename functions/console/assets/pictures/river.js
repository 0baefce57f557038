/** The retention river: x the days to come, y age, a dot each survivor; what an edit loses in red. */

import { s } from "../lib/dom.js";
import { brief, plural, span } from "../lib/format.js";
import { linear, timeTicks } from "./scale.js";

const DAY = 86_400_000;
/** How high a dot is. */
const DOT = 3;

/**
 * @typedef {{date: string, snapshots: number, oldest: string | null, missed?: string[], survivors?: string[]}} RiverDay
 */

/**
 * @param {RiverDay[]} days
 * @param {{width: number, height?: number, at?: number, lost?: {date: string}[]}} options `at` is the scrubber's day
 */
export function river(days, { width, height = 240, at = 0, lost = [] }) {
  const left = 52,
    bottom = height - 24,
    top = 10;
  if (days.length === 0)
    return s("svg", {
      class: "river",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
    });
  const instant = (/** @type {string} */ date) => Date.parse(date.length > 10 ? date : `${date}T12:00:00Z`);
  const from = instant(days[0].date),
    to = instant(days[days.length - 1].date);
  const x = linear(from, to || from + DAY, left + 8, width - 10);
  const oldest = Math.max(2, ...days.map((day) => (day.oldest ? (instant(day.date) - Date.parse(day.oldest)) / DAY : 0)));
  const scale = linear(0, Math.log10(1 + oldest), bottom, top);
  const y = (/** @type {number} */ age) => scale(Math.log10(1 + Math.max(0, age)));
  const ages = [1, 7, 30, 90, 365, 1095, 3650].filter((age, index) => index === 0 || age <= oldest * 1.05);
  const edge = days.map(
    (day) => `${x(instant(day.date)).toFixed(1)} ${y(day.oldest ? (instant(day.date) - Date.parse(day.oldest)) / DAY : 0).toFixed(1)}`,
  );
  const dots = days.map((day) => (day.survivors ? column(x(instant(day.date)), day.survivors.map(ageOn(day)).map(y)) : "")).join("");
  const chosen = days[Math.min(at, days.length - 1)];
  const cx = x(instant(chosen.date));
  return s(
    "svg",
    {
      class: "river",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": summary(days),
    },
    s("path", {
      class: "water",
      d: `M${left + 8} ${bottom}L${edge.join("L")}L${x(to).toFixed(1)} ${bottom}Z`,
    }),
    ages.map((age) => [
      s("line", {
        class: "grid",
        x1: left,
        x2: width - 8,
        y1: y(age),
        y2: y(age),
      }),
      s("text", { class: "tick", x: left - 6, y: y(age) + 4, "text-anchor": "end" }, span(age * 86_400)),
    ]),
    timeTicks(from, to, Math.floor((width - left) / 80)).map(({ at: when, text }) =>
      s("text", { class: "tick", x: x(when), y: height - 6, "text-anchor": "middle" }, text),
    ),
    dots && s("path", { class: "survivors", d: dots }),
    days.map(
      (day) =>
        (day.missed?.length ?? 0) > 0 &&
        s("path", {
          class: "gap",
          d: `M${x(instant(day.date)) - 4} ${bottom + 1}h8l-4-7Z`,
          "data-tip": `${day.date}: ${plural(day.missed?.length ?? 0, "local time")} skipped by the clock change`,
        }),
    ),
    lost.map(({ date }) =>
      s("path", {
        class: "lost",
        d: cross(x(from), y((from - Date.parse(date)) / DAY)),
        "data-tip": `Would go: taken ${brief(date)}`,
      }),
    ),
    s("line", { class: "scrub", x1: cx, x2: cx, y1: top, y2: bottom }),
    s("text", { class: "count", x: Math.min(cx + 6, width - 90), y: top + 12 }, `${chosen.snapshots} there`),
  );
}

/** How many days old something is as a day ends. @param {RiverDay} day */
const ageOn = (day) => (/** @type {string} */ taken) => (Date.parse(`${day.date}T12:00:00Z`) + DAY / 2 - Date.parse(taken)) / DAY;

/** One dot above the other, without those that would lie on another. @param {number} x @param {number[]} heights */
function column(x, heights) {
  let last = -Infinity;
  return heights
    .toSorted((one, other) => one - other)
    .filter((height) => {
      if (height - last < DOT) return false;
      last = height;
      return true;
    })
    .map((height) => `M${x.toFixed(1)} ${height.toFixed(1)}h0`)
    .join("");
}

/** @param {number} x @param {number} y */
const cross = (x, y) => `M${x - 4} ${y - 4}l8 8M${x + 4} ${y - 4}l-8 8`;

/** @param {RiverDay[]} days */
function summary(days) {
  const last = days[days.length - 1];
  const most = Math.max(...days.map((day) => day.snapshots));
  return `${plural(days.length, "day")} ahead: at most ${plural(most, "snapshot")}, ${last.snapshots} on ${last.date}${last.oldest ? `, the oldest of ${brief(last.oldest)}` : ""}`;
}

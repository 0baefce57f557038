/** The life line: what happened to an instance on one axis, a lane for each kind. */

import { h, s } from "../lib/dom.js";
import { brief } from "../lib/format.js";
import { linear, timeTicks } from "./scale.js";

/** @typedef {{at: string, lane: string, tone: string, text: string, href?: string}} Happening */

const LANES = ["Snapshots", "Runs", "Restores", "Edits"];
const ROW = 34;

/** @param {Happening[]} happenings @param {{width: number, from: number, to: number, now: number}} options */
export function lifeLine(happenings, { width, from, to, now }) {
  const left = 84;
  const height = LANES.length * ROW + 24;
  const x = linear(from, to, left + 8, width - 10);
  return s(
    "svg",
    {
      class: "life",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "group",
      "aria-label": `${happenings.length} events between ${brief(from)} and ${brief(to)}`,
    },
    timeTicks(from, to, Math.max(3, Math.floor((width - left) / 84))).map(({ at, text }) => [
      s("line", {
        class: "grid",
        x1: x(at),
        x2: x(at),
        y1: 0,
        y2: height - 22,
      }),
      s("text", { class: "tick", x: x(at), y: height - 6, "text-anchor": "middle" }, text),
    ]),
    LANES.map((lane, at) => [
      s("text", { class: "label", x: 0, y: at * ROW + ROW / 2 + 4 }, lane),
      s("line", {
        class: "base",
        x1: left,
        x2: width,
        y1: at * ROW + ROW / 2,
        y2: at * ROW + ROW / 2,
      }),
    ]),
    now <= to &&
      s("line", {
        class: "now",
        x1: x(now),
        x2: x(now),
        y1: 0,
        y2: height - 22,
      }),
    happenings
      .filter((each) => Date.parse(each.at) >= from && Date.parse(each.at) <= to)
      .map((each) => {
        const row = Math.max(0, LANES.indexOf(each.lane));
        const mark = s("path", {
          class: `event ${each.tone}`,
          d: shape(each.tone, x(Date.parse(each.at)), row * ROW + ROW / 2),
          "data-tip": `${brief(each.at)}: ${each.text}`,
        });
        return each.href
          ? s(
              "a",
              {
                href: each.href,
                "aria-label": `${brief(each.at)}: ${each.text}`,
                tabindex: "-1",
              },
              mark,
            )
          : mark;
      }),
  );
}

/** @param {string} tone @param {number} x @param {number} y */
function shape(tone, x, y) {
  if (tone === "bad") return `M${x - 5} ${y - 5}l10 10M${x + 5} ${y - 5}l-10 10`;
  if (tone === "warn") return `M${x} ${y - 6}l6 10h-12Z`;
  if (tone === "good") return `M${x - 2.5} ${y - 7}h5v14h-5Z`;
  return `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z`;
}

/** What each shape says. */
export function lifeLegend() {
  const said = [
    ["good", "taken, or done"],
    ["bad", "failed"],
    ["warn", "missed or blocked"],
    ["calm", "anything else, as a deletion by the rules"],
  ];
  return h(
    "ul",
    { class: "legend life", "aria-label": "What a mark says" },
    said.map(([tone, text]) =>
      h(
        "li",
        null,
        s("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, s("path", { class: `event ${tone}`, d: shape(tone, 8, 8) })),
        text,
      ),
    ),
  );
}

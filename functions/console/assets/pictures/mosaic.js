/** A marimekko: a column an owner as wide as its share, the orphaned part of it hatched. */

import { h, s } from "../lib/dom.js";
import { count, gib, plural, words } from "../lib/format.js";
import { linear } from "./scale.js";

/** @typedef {{owner: string, count: number, gib: number, orphanedCount: number, orphanedGib: number}} Column */

/** How wide a column is at the least. */
const NARROWEST = 26;

/** @param {Column[]} columns @param {{width: number, height?: number, chosen?: string, choose?: (owner: string) => void}} options */
export function mosaic(columns, { width, height = 180, chosen, choose }) {
  const shown = columns.filter((column) => column.count > 0).sort((a, b) => b.gib - a.gib);
  const total = Math.max(
    1,
    shown.reduce((sum, column) => sum + column.gib, 0),
  );
  // Nobody is too small to be seen, and to be chosen.
  const x = linear(0, total, 0, width - NARROWEST * shown.length);
  let at = 0;
  return h(
    "div",
    { class: "mosaic" },
    s(
      "svg",
      {
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        role: "img",
        "aria-label": shown.map(tell).join("; "),
      },
      shown.map((column, index) => {
        const from = x(at) + NARROWEST * index;
        at += column.gib;
        const size = x(at) + NARROWEST * (index + 1) - from - 3;
        const lost = (column.orphanedGib / (column.gib || 1)) * height;
        return s(
          "g",
          {
            class: `column c${index % 6} ${chosen === column.owner ? "chosen" : ""}`,
            "data-tip": tell(column),
            onclick: choose && (() => choose(column.owner)),
          },
          s("rect", { x: from, y: 0, width: size, height, rx: 3 }),
          lost > 0 &&
            s("rect", {
              class: "lost",
              x: from,
              y: height - lost,
              width: size,
              height: lost,
            }),
          lost > 0 && Array.from({ length: Math.ceil((size + lost) / 8) }, (_, line) => hatch(from, size, height, lost, line * 8)),
          size > 90 && s("text", { x: from + 8, y: 20 }, words(column.owner)),
          size > 90 && s("text", { class: "small", x: from + 8, y: 38 }, gib(column.gib)),
        );
      }),
    ),
    h(
      "ul",
      { class: "legend" },
      shown.map((column, index) =>
        h(
          "li",
          null,
          h(
            "button",
            {
              type: "button",
              class: `key c${index % 6}`,
              "aria-pressed": choose ? String(chosen === column.owner) : null,
              onclick: choose && (() => choose(column.owner)),
            },
            h("i"),
            `${words(column.owner)}: ${gib(column.gib)}`,
          ),
        ),
      ),
    ),
  );
}

/** A line that rises to the right, cut to the box. @param {number} left @param {number} width @param {number} bottom @param {number} height @param {number} start */
function hatch(left, width, bottom, height, start) {
  const from = Math.min(start, width),
    rise = start - from;
  const length = Math.min(from, height - rise);
  return (
    length > 0 &&
    s("path", {
      class: "hatch",
      d: `M${left + from} ${bottom - rise}l${-length} ${-length}`,
    })
  );
}

/** @param {Column} column */
function tell(column) {
  const lost = column.orphanedCount ? `, ${plural(column.orphanedCount, "orphan")} with ${gib(column.orphanedGib)}` : "";
  return `${words(column.owner)}: ${count(column.count)} EBS snapshots of ${gib(column.gib)} volumes${lost}`;
}

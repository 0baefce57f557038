/** The comb: a line an instance, a tooth a snapshot, its shape what keeps it, a thin tail its fate. */

import { h, s } from "../lib/dom.js";
import { brief, relative, words } from "../lib/format.js";
import { LEGEND, keeper, tooth } from "./keepers.js";
import { linear, timeTicks } from "./scale.js";

/**
 * @typedef {Object} Tooth
 * @property {string} id
 * @property {string} name
 * @property {string} taken_at
 * @property {string} status
 * @property {string[]} kept_by
 * @property {string} outlook
 * @property {string | null} goes_at
 * @property {boolean} held
 */

/** @typedef {{id: string, name: string, href: string, teeth: Tooth[]}} Line */

const ROW = 34;
const AXIS = 22;
/** What is written nearer to the edge would be cut off. */
const EDGE = 18;
/** Of more teeth than this in a line those that stand too close are drawn as one. */
const NEAREST = 5;

/** How high a comb of so many lines is. @param {number} lines */
export const combHeight = (lines) => lines * ROW + AXIS;

/**
 * @param {Line[]} lines
 * @param {{width: number, now: number, chosen?: string, ahead?: number, choose?: (id: string) => void, labels?: boolean}} options
 */
export function comb(lines, { width, now, chosen, choose, labels = true, ahead = 0.25 }) {
  const left = labels ? Math.min(170, width * 0.24) : 8;
  const first = Math.min(...lines.flatMap((line) => line.teeth.map((each) => Date.parse(each.taken_at))), now - 86_400_000);
  const size = now - first;
  const last = now + size * ahead;
  const x = linear(first - size * 0.015, last, left + 6, width - 8);
  const height = combHeight(lines.length);
  const ticks = timeTicks(first, last, Math.floor((width - left) / 90)).filter(({ at }) => x(at) < width - EDGE);
  const root = s(
    "svg",
    {
      class: "comb",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "group",
      "aria-label": "Snapshots by instance and time",
    },
    s("rect", {
      class: "future",
      x: x(now),
      y: AXIS,
      width: Math.max(0, width - x(now)),
      height: height - AXIS,
    }),
    ticks.map(({ at, text }) => [
      s("line", {
        class: "grid",
        x1: x(at),
        x2: x(at),
        y1: AXIS - 4,
        y2: height,
      }),
      s("text", { class: "tick", x: x(at), y: 12, "text-anchor": "middle" }, text),
    ]),
    s("line", {
      class: "now",
      x1: x(now),
      x2: x(now),
      y1: AXIS - 6,
      y2: height,
    }),
    lines.map((line, at) =>
      row(line, AXIS + at * ROW, {
        x,
        now,
        left,
        width,
        last,
        chosen,
        choose,
        labels,
      }),
    ),
  );
  return root;
}

/** @param {Line} line @param {number} top @param {any} frame */
function row(line, top, frame) {
  const { x, now, left, width, last, chosen, choose, labels } = frame;
  const base = top + ROW - 6;
  /** @type {{tooth: Tooth, x: number, more: number}[]} */
  const drawn = [];
  for (const each of [...line.teeth].sort((a, b) => Date.parse(a.taken_at) - Date.parse(b.taken_at))) {
    const at = x(Date.parse(each.taken_at));
    const before = drawn.at(-1);
    if (before && at - before.x < NEAREST && each.id !== chosen && before.tooth.id !== chosen) {
      before.more += 1;
      if (rank(each) >= rank(before.tooth)) before.tooth = each;
    } else drawn.push({ tooth: each, x: at, more: 0 });
  }
  return s(
    "g",
    { class: "comb-row" },
    labels && s("a", { href: line.href }, s("text", { class: "label", x: 4, y: base - 8 }, clipped(line.name, left))),
    s("line", { class: "base", x1: left, x2: width, y1: base, y2: base }),
    drawn.map(({ tooth: each, x: at, more }) => {
      const kind = kindOf(each);
      const goes = each.goes_at ? Math.min(Date.parse(each.goes_at), last) : each.outlook === "never" ? last : now;
      const text = describe(each, more);
      const low = base - 3 - (rank(each) % 5) * 3;
      const pick = choose && (() => choose(each.id));
      return s(
        "g",
        {
          class: `tooth ${kind} ${each.id === chosen ? "chosen" : ""}`,
          "data-tip": text,
        },
        goes > now &&
          s("line", {
            class: "tail",
            x1: Math.max(at, x(now)),
            x2: x(goes),
            y1: low,
            y2: low,
          }),
        s("path", { d: tooth(kind, at, base, 22) }),
        pick &&
          s("rect", {
            class: "hit",
            x: at - 5,
            y: top + 2,
            width: 10,
            height: ROW - 8,
            role: "button",
            tabindex: each.id === chosen ? 0 : -1,
            "aria-label": text,
            onclick: pick,
            onkeydown: (/** @type {KeyboardEvent} */ event) => (event.key === "Enter" || event.key === " ") && pick(),
          }),
      );
    }),
  );
}

/** @param {Tooth} each */
export function kindOf(each) {
  if (["condemned", "deleting"].includes(each.status)) return "condemned";
  if (["error", "missing"].includes(each.status)) return "broken";
  if (each.status !== "available") return "coming";
  return each.held ? "hold" : keeper(each.kept_by);
}

const RANKS = ["none", "other", "newest", "hourly", "daily", "weekly", "monthly", "yearly", "hold", "coming", "condemned", "broken"];

/** @param {Tooth} each */
const rank = (each) => RANKS.indexOf(kindOf(each));

/** @param {Tooth} each @param {number} more */
function describe(each, more) {
  const fate = each.goes_at ? `goes ${relative(each.goes_at)}` : each.outlook === "never" ? "stays" : "its end is not foreseen";
  const why = each.kept_by.length ? `; kept by ${each.kept_by.map(words).join(", ")}` : "";
  return `${each.name}, ${brief(each.taken_at)}, ${words(each.status)}: ${fate}${why}${more ? `; and ${more} close by` : ""}`;
}

/** @param {string} text @param {number} width */
function clipped(text, width) {
  const most = Math.floor(width / 7.4);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** The shapes and what they mean. @param {Set<string>} [used] */
export function combLegend(used) {
  const shown = LEGEND.filter(([kind]) => !used || used.has(kind));
  return h(
    "ul",
    { class: "legend", "aria-label": "What keeps a snapshot" },
    shown.map(([kind, text]) =>
      h(
        "li",
        null,
        s(
          "svg",
          {
            viewBox: "0 0 14 22",
            width: 12,
            height: 19,
            class: "comb",
            "aria-hidden": "true",
          },
          s("g", { class: `tooth ${kind}` }, s("path", { d: tooth(kind, 7, 21, 18) })),
        ),
        text,
      ),
    ),
  );
}

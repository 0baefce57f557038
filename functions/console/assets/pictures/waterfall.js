/** What a snapshot holds and what its deletion would free, one bar after the other. */

import { s } from "../lib/dom.js";
import { gib } from "../lib/format.js";
import { linear } from "./scale.js";

/** @typedef {{text: string, from: number, to: number, tone: string}} Bar */

/** @param {Bar[]} bars @param {{width: number}} options */
export function waterfall(bars, { width }) {
  const label = Math.min(220, Math.max(150, width * 0.42)),
    row = 30;
  const most = Math.max(1, ...bars.map((bar) => bar.to));
  const x = linear(0, most, label, width - 70);
  const height = bars.length * row + 4;
  return s(
    "svg",
    {
      class: "waterfall",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "aria-label": bars.map((bar) => `${bar.text}: ${gib(bar.to - bar.from)}`).join("; "),
    },
    bars.map((bar, at) =>
      s(
        "g",
        { class: `bar ${bar.tone}` },
        s("text", { class: "label", x: 0, y: at * row + 19 }, bar.text),
        s("rect", {
          x: x(bar.from),
          y: at * row + 6,
          width: Math.max(2, x(bar.to) - x(bar.from)),
          height: 18,
          rx: 2,
        }),
        at + 1 < bars.length &&
          s("line", {
            class: "grid",
            x1: x(bar.from),
            x2: x(bar.from),
            y1: at * row + 24,
            y2: (at + 1) * row + 6,
          }),
        s("text", { class: "tick", x: x(bar.to) + 6, y: at * row + 19 }, gib(bar.to - bar.from)),
      ),
    ),
  );
}

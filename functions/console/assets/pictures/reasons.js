/** The bar of reasons: what a sweep's plan comes to, and where the brake would stop it. */

import { h, s } from "../lib/dom.js";
import { count, plural } from "../lib/format.js";
import { linear } from "./scale.js";

/** @typedef {{key: string, text: string, number: number, tone: string}} Part */

/**
 * @param {Part[]} parts
 * @param {{width: number, chosen?: string, choose?: (key: string) => void}} options
 */
export function reasonBar(parts, { width, chosen, choose }) {
  const total = Math.max(
    1,
    parts.reduce((sum, part) => sum + part.number, 0),
  );
  const x = linear(0, total, 0, width);
  let at = 0;
  const shapes = parts
    .filter((part) => part.number > 0)
    .map((part) => {
      const from = x(at);
      at += part.number;
      const size = Math.max(3, x(at) - from);
      return s(
        "g",
        {
          class: `part ${part.tone} ${part.key === chosen ? "chosen" : ""}`,
          "data-tip": `${part.text}: ${count(part.number)} of ${count(total)}`,
          onclick: choose && (() => choose(part.key)),
        },
        s("rect", {
          x: from,
          y: 4,
          width: Math.max(2, size - 2),
          height: 34,
          rx: 3,
        }),
        part.tone === "blocked" &&
          Array.from({ length: Math.floor(size / 7) }, (_, line) => s("path", { class: "hatch", d: `M${from + line * 7} 38l7-34` })),
        size > 46 && s("text", { x: from + 8, y: 26 }, count(part.number)),
      );
    });
  return h(
    "div",
    { class: "reasons" },
    s(
      "svg",
      {
        viewBox: `0 0 ${width} 42`,
        width,
        height: 42,
        role: "img",
        "aria-label": parts.map((part) => `${part.text}: ${part.number}`).join("; "),
      },
      shapes,
    ),
    h(
      "ul",
      { class: "legend" },
      parts.map((part) =>
        h(
          "li",
          null,
          h(
            "button",
            {
              type: "button",
              class: `key ${part.tone}`,
              "aria-pressed": choose ? String(part.key === chosen) : null,
              onclick: choose && (() => choose(part.key)),
            },
            h("i"),
            `${part.text}: ${count(part.number)}`,
          ),
        ),
      ),
    ),
  );
}

/** How near a schedule is to the brake. @param {{unexpected: number, available: number, earlier?: number}} brake @param {{deletions: number, percent: number}} limits @param {number} width */
export function brakeLine(brake, limits, width) {
  const stop = Math.max(limits.deletions, (brake.available * limits.percent) / 100);
  const most = Math.max(brake.unexpected, stop, 1) * 1.15;
  const x = linear(0, most, 0, width);
  return s(
    "svg",
    {
      class: "brake",
      viewBox: `0 0 ${width} 34`,
      width,
      height: 34,
      role: "img",
      "aria-label": `${plural(brake.unexpected, "unexpected deletion")}; the brake stops above ${Math.floor(stop)}`,
    },
    s("rect", { class: "track", x: 0, y: 14, width, height: 10, rx: 3 }),
    s("rect", {
      class: brake.unexpected > stop ? "over" : "under",
      x: 0,
      y: 14,
      width: x(brake.unexpected),
      height: 10,
      rx: 3,
    }),
    s("line", { class: "limit", x1: x(stop), x2: x(stop), y1: 8, y2: 30 }),
    s("text", { class: "tick", x: Math.min(x(stop), width - 100), y: 9 }, `stops above ${Math.floor(stop)}`),
  );
}

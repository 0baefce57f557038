/** Levels over time: one area upon the other. */

import { h, s } from "../lib/dom.js";
import { linear, numberTicks, timeTicks } from "./scale.js";

/** @typedef {{name: string, tone: string, values: number[]}} Layer */

/**
 * @param {string[]} dates @param {Layer[]} layers each from nought, the largest first
 * @param {{width: number, height?: number, unit: (value: number) => string}} options
 */
export function areas(dates, layers, { width, height = 200, unit }) {
  const left = 64,
    bottom = height - 24,
    top = 10;
  const most = Math.max(1, ...layers.flatMap((layer) => layer.values));
  const times = dates.map((date) => Date.parse(date.length === 7 ? `${date}-15` : date));
  const x = linear(times[0], times[times.length - 1], left + 4, width - 10);
  const y = linear(0, most, bottom, top);
  const single = dates.length === 1;
  const marks =
    dates[0].length === 7
      ? dates.map((date, at) => ({
          at: times[at],
          text: new Date(`${date}-15`).toLocaleDateString("en-GB", {
            month: "short",
            year: "numeric",
          }),
        }))
      : timeTicks(times[0], times[times.length - 1], Math.floor((width - left) / 80));
  // Of thousands of GiB, round numbers are those of TiB.
  const base = most >= 2_048 ? 1_024 : 1;
  const ticks = numberTicks(most / base).map((value) => value * base);
  return h(
    "div",
    null,
    s(
      "svg",
      {
        class: "area",
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        role: "img",
        "aria-label": layers.map((layer) => `${layer.name}: ${unit(layer.values[0])} to ${unit(layer.values[layer.values.length - 1])}`).join("; "),
      },
      ticks.map((value) => [
        s("line", {
          class: "grid",
          x1: left,
          x2: width - 8,
          y1: y(value),
          y2: y(value),
        }),
        s("text", { class: "tick", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, unit(value)),
      ]),
      marks.map(({ at, text }) =>
        s(
          "text",
          {
            class: "tick",
            x: x(at),
            y: height - 6,
            "text-anchor": at === times[0] ? "start" : at === times[times.length - 1] ? "end" : "middle",
          },
          text,
        ),
      ),
      layers.map((layer) =>
        single
          ? s("rect", {
              class: `layer ${layer.tone}`,
              x: width / 2 - 30,
              y: y(layer.values[0]),
              width: 60,
              height: bottom - y(layer.values[0]),
            })
          : s("path", {
              class: `layer ${layer.tone}`,
              d: `M${x(times[0])} ${bottom}${layer.values.map((value, at) => `L${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}`).join("")}L${x(times[times.length - 1])} ${bottom}Z`,
            }),
      ),
      layers.map(
        (layer) =>
          !single &&
          s("path", {
            class: `edge ${layer.tone}`,
            d: `M${layer.values.map((value, at) => `${x(times[at]).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`,
          }),
      ),
    ),
    h(
      "ul",
      { class: "legend" },
      layers.map((layer) => h("li", { class: `key ${layer.tone}` }, h("i"), layer.name)),
    ),
  );
}

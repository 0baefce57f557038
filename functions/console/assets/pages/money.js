/** Where does it go? */

import { withQuery } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { debounced } from "../lib/fields.js";
import { follow } from "../lib/follow.js";
import { count, gib, money } from "../lib/format.js";
import { head, picture, room } from "../lib/head.js";
import { list } from "../lib/list.js";
import { instanceLink, scheduleLink } from "../lib/ids.js";
import { curlButton, empty, figure, section, trouble } from "../lib/parts.js";
import { setQuery } from "../lib/router.js";
import { areas } from "../pictures/area.js";

const BY = ["instance", "schedule", "region"];

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const change = () => page.query.change || "3";
  const by = () => (BY.includes(page.query.by) ? page.query.by : "instance");
  const path = () =>
    withQuery("/v1/billing", {
      group_by: by(),
      daily_change_percent: change(),
      limit: 100,
    });
  const totals = h(
    "div",
    { class: "figures" },
    Array.from({ length: 4 }, () => h("div", { class: "figure waiting" })),
  );
  const note = h("p", { class: "note" });
  const said = h("output", null, `${change()} % a day`);
  const later = debounced((/** @type {string} */ value) => setQuery({ change: value }), 200);
  const slider = h("input", {
    type: "range",
    min: 0,
    max: 30,
    step: 0.5,
    value: change(),
    "aria-label": "Daily change in percent",
    id: "change",
    oninput: (/** @type {any} */ event) => {
      said.textContent = `${event.target.value} % a day`;
      later(event.target.value);
    },
  });
  const tabs = h(
    "div",
    { class: "row", role: "group", "aria-label": "By" },
    BY.map((word) =>
      h(
        "button",
        {
          type: "button",
          class: "button",
          "data-by": word,
          onclick: () => setQuery({ by: word }, { step: true }),
        },
        `By ${word}`,
      ),
    ),
  );
  const months = h("div");
  /** @type {null | (() => void)} */
  let stop = null;
  let shown = "";

  function sync() {
    for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.getAttribute("data-by") === by()));
    if (shown === change()) return;
    shown = change();
    stop?.();
    stop = page.use(
      withQuery("/v1/billing", {
        group_by: "region",
        daily_change_percent: change(),
      }),
      ({ data, error }) => {
        if (!data && error) fill(totals, trouble(error));
        if (!data) return;
        const price = data.prices[0];
        fill(
          totals,
          figure("By the size of the volumes", money(data.total.size.cost), `a month for ${gib(data.total.size.gib)}: the upper bound`),
          figure("By all their data", money(data.total.full_size.cost), `a month for ${gib(data.total.full_size.gib)}, if each were alone`),
          data.total.estimated_incremental &&
            figure(
              "Estimated",
              money(data.total.estimated_incremental.cost),
              `a month for ${gib(data.total.estimated_incremental.gib)}, at ${change()} % change a day`,
            ),
          figure("Snapshots", count(data.total.snapshots), "that are there and cost something"),
        );
        fill(
          note,
          price &&
            `By the prices of ${price.as_of} (${data.prices.map((/** @type {any} */ each) => `${each.price_region} ${each.standard_gib_month} ${each.currency} a GiB and month`).join(", ")}). AWS bills what changed between snapshots, which no service tells: the estimate stands between the bounds.`,
        );
      },
    );
  }
  page.onQuery(sync);
  sync();
  fill(months, byMonth(page));

  return h(
    "div",
    { class: "page" },
    head("Money", {
      note: "Where does it go?",
      tools: curlButton("GET", path),
    }),
    totals,
    note,
    section(
      "Daily change",
      {
        note: "How much of a volume changes in a day: the one thing that the estimate hangs on.",
      },
      h("div", { class: "scrubber" }, slider, said),
    ),
    section("Over the months", {}, months),
    section(
      "Whose",
      { tools: tabs },
      list(page, {
        path,
        caption: "Cost",
        key: (item) => item.instance_id ?? item.schedule_id ?? item.region ?? item.month ?? "none",
        none: () => empty("Nothing costs anything yet"),
        columns: [
          {
            name: "Of",
            show: (item) =>
              item.instance_id
                ? instanceLink(item.instance_id, item.instance_name)
                : item.schedule_id
                  ? scheduleLink(item.schedule_id, item.schedule_name)
                  : (item.region ?? "without a schedule"),
          },
          {
            name: "Snapshots",
            kind: "number",
            show: (item) => count(item.snapshots),
          },
          {
            name: "Estimated",
            kind: "number",
            show: (item) =>
              item.estimated_incremental
                ? [money(item.estimated_incremental.cost), h("div", { class: "note" }, gib(item.estimated_incremental.gib))]
                : "–",
          },
          {
            name: "All data",
            kind: "number",
            show: (item) => [money(item.full_size.cost), h("div", { class: "note" }, gib(item.full_size.gib))],
          },
          {
            name: "Size of the volumes",
            kind: "number",
            show: (item) => [money(item.size.cost), h("div", { class: "note" }, gib(item.size.gib))],
          },
        ],
      }),
    ),
  );
}

/** @param {import("../lib/page.js").Page} page */
function byMonth(page) {
  return follow(page, "/v1/billing?group_by=month", (data) => {
    const rows = [...data.items].sort((a, b) => a.month.localeCompare(b.month));
    if (rows.length === 0) return empty("No month yet");
    return picture(page, () =>
      areas(
        rows.map((row) => row.month),
        [
          {
            name: "size of the volumes, GiB-months",
            tone: "volume",
            values: rows.map((row) => row.size.gib),
          },
          {
            name: "all data",
            tone: "full",
            values: rows.map((row) => row.full_size.gib),
          },
          ...(rows.every((row) => row.estimated_incremental)
            ? [
                {
                  name: "estimated",
                  tone: "estimate",
                  values: rows.map((row) => row.estimated_incremental.gib),
                },
              ]
            : []),
        ],
        { width: room(), unit: gib },
      ),
    ).element;
  });
}

/** What became of each instance in a run. */

import { ask } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { fill, h } from "../lib/dom.js";
import { brief, humane, span } from "../lib/format.js";
import { instanceLink } from "../lib/ids.js";
import { badge } from "../lib/marks.js";
import { curlButton } from "../lib/parts.js";

/** @param {{id: string}} schedule @param {any} run */
export async function targetsOf(schedule, run) {
  const body = h("div", null, "…");
  const path = `/v1/schedules/${schedule.id}/runs/${run.slot}?limit=200`;
  ask("GET", path).then(
    (found) =>
      fill(
        body,
        h(
          "table",
          { class: "list" },
          h("caption", { class: "unseen" }, "Targets"),
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              ["Instance", "Outcome", "Late by", "Why"].map((name) => h("th", { scope: "col" }, name)),
            ),
          ),
          h(
            "tbody",
            null,
            found.targets.items.map((/** @type {any} */ target) =>
              h(
                "tr",
                null,
                h(
                  "th",
                  { scope: "row", "data-label": "Instance" },
                  h(
                    "span",
                    { onclick: (/** @type {any} */ event) => event.target.closest("a") && event.target.closest("dialog").close() },
                    instanceLink(target.instance_id, target.instance_name),
                  ),
                ),
                h("td", { "data-label": "Outcome" }, badge(target.outcome)),
                h(
                  "td",
                  { "data-label": "Late by" },
                  target.lateness_seconds === null || target.lateness_seconds === undefined ? "–" : span(target.lateness_seconds),
                ),
                h("td", { "data-label": "Why" }, humane(target.reason ?? "")),
              ),
            ),
          ),
        ),
      ),
    (error) => fill(body, String(error.message)),
  );
  await open({
    title: `Run of ${brief(run.slot)}`,
    body,
    act: "Close",
    wide: true,
    extra: curlButton("GET", path),
    run: async () => null,
  });
}

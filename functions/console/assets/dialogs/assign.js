/** Which schedules are for an instance. */

import { ask } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { debounced } from "../lib/fields.js";
import { fill, h } from "../lib/dom.js";
import { humane, words } from "../lib/format.js";
import { badge, mark } from "../lib/marks.js";
import { curlButton, trouble } from "../lib/parts.js";

/** @param {any} instance @param {any[]} schedules */
export function assignSchedules(instance, schedules) {
  const chosen = new Set((instance.protection?.schedules ?? []).map((/** @type {any} */ each) => each.schedule_id));
  const path = `/v1/instances/${instance.id}/schedules`;
  const outcome = h("div", { class: "stack" });
  const body = () => ({ schedule_ids: [...chosen] });
  const preview = debounced(async () => {
    try {
      const found = await ask("PUT", `${path}?preview=true`, { body: body() });
      fill(
        outcome,
        h("p", null, "Then: ", badge(found.protection.status), " ", humane(found.protection.reason)),
        found.changes.map((/** @type {any} */ change) => h("p", { class: "note" }, `${change.name}: ${words(change.change)}`)),
        found.warnings.map((/** @type {string} */ warning) => h("div", { class: "warning" }, mark("warn"), h("p", null, warning))),
      );
    } catch (error) {
      fill(outcome, trouble(error));
    }
  });
  preview();
  return open({
    title: `Schedules of ${instance.name ?? instance.id}`,
    act: "Save",
    acting: "Saving…",
    body: [
      h("p", { class: "note" }, "Exactly these are for it, whatever their tags say."),
      h(
        "div",
        { class: "choice" },
        schedules.map((schedule) =>
          h(
            "label",
            { class: "option" },
            h("input", {
              type: "checkbox",
              checked: chosen.has(schedule.id),
              onchange: (/** @type {any} */ event) => {
                if (event.target.checked) chosen.add(schedule.id);
                else chosen.delete(schedule.id);
                preview();
              },
            }),
            h("span", null, h("strong", null, h("bdi", null, schedule.name)), h("span", { class: "note" }, schedule.description)),
          ),
        ),
      ),
      outcome,
    ],
    extra: curlButton("PUT", path, body),
    run: () => ask("PUT", path, { body: body() }),
  });
}

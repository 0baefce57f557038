/** Takes a snapshot now. */

import { ask, idempotencyKey } from "../lib/api.js";
import { now } from "../lib/clock.js";
import { open } from "../lib/dialog.js";
import { field } from "../lib/fields.js";
import { h } from "../lib/dom.js";
import { identifier } from "../lib/ids.js";
import { mark } from "../lib/marks.js";
import { curlButton, facts } from "../lib/parts.js";
import { go, link } from "../lib/router.js";
import { toast } from "../lib/toast.js";
import { dayAhead } from "./hold.js";

/** What people take one for: the button, what the name says, and after how many days it goes. @type {[string, string, number][]} */
const OCCASIONS = [
  ["Before a change", "before the change", 14],
  ["Before an upgrade", "before the upgrade", 30],
];

const today = () => new Date(now()).toISOString().slice(0, 10);

/** @param {any} instance */
export async function takeSnapshot(instance) {
  const key = idempotencyKey();
  const name = h("input", {
    maxlength: 255,
    placeholder: "before the upgrade",
    dir: "auto",
  });
  const description = h("textarea", { maxlength: 1000, dir: "auto" });
  const expires = h("input", { type: "date", min: dayAhead(1) });
  const body = () => ({
    instance_id: instance.id,
    name: name.value || null,
    description: description.value || null,
    expires_at: expires.value ? `${expires.value}T23:59:59Z` : null,
  });
  const made = await open({
    title: "Take a snapshot",
    act: "Take it",
    acting: "Asking…",
    body: [
      facts([
        ["Instance", h("bdi", null, instance.name ?? "no name")],
        ["Id", identifier(instance.id)],
        ["Region", instance.region],
      ]),
      (instance.eligibility?.caveats ?? []).map((/** @type {string} */ caveat) => h("div", { class: "warning" }, mark("warn"), h("p", null, caveat))),
      h(
        "p",
        { class: "note" },
        "All volumes at one instant, as after a power cut. The instance is not shut down: what it has only in its memory is not in it.",
      ),
      h(
        "div",
        { class: "row" },
        h("span", { class: "note" }, "For example:"),
        OCCASIONS.map(([text, what, days]) =>
          h(
            "button",
            {
              type: "button",
              class: "button",
              onclick: () => {
                name.value = `${instance.name ?? instance.id} ${what} ${today()}`;
                expires.value = dayAhead(days);
              },
            },
            text,
          ),
        ),
      ),
      field("Name", name, "What for, and when: that helps whoever restores it."),
      field("Description", description),
      field("Delete it after", expires, "Empty: it stays until somebody deletes it."),
    ],
    extra: curlButton("POST", "/v1/snapshots", body),
    run: () => ask("POST", "/v1/snapshots", { body: body(), key }),
  });
  if (made)
    toast("The snapshot is asked for.", {
      action: "Show it",
      act: () => go(link(`/snapshots/${made.id}`)),
    });
}

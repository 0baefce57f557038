/** The step rail: what is done, what runs, what is to come, with how long each took. */

import { h } from "../lib/dom.js";
import { span, time, words } from "../lib/format.js";
import { now } from "../lib/clock.js";
import { mark } from "../lib/marks.js";

const TONES = /** @type {Record<string, string>} */ ({
  done: "good",
  running: "busy",
  failed: "bad",
  skipped: "calm",
  pending: "calm",
});

/** What a step does, for people. */
export const STEPS = /** @type {Record<string, string>} */ ({
  check: "Look at everything once more",
  snapshot_first: "Take a snapshot of what is there now",
  create_volumes: "Make new volumes of the snapshot",
  stop_instance: "Stop the instance",
  detach_volumes: "Take the old volumes off",
  attach_volumes: "Attach the new volumes",
  start_instance: "Start the instance",
  tag_old_volumes: "Mark the old volumes",
  replace_root: "Replace the root volume",
  register_image: "Register an image",
  run_instance: "Launch a new instance",
  deregister_image: "Take the image away again",
  delete_volumes: "Delete the volumes of the drill",
  stop_again: "Stop the instance",
  detach_new_volumes: "Take the new volumes off",
  reattach_old_volumes: "Put the old volumes back",
  start_again: "Start the instance",
  delete_new_volumes: "Delete the new volumes",
  settle_root: "Let the root settle",
  remove_image: "Remove the image",
});

/** @typedef {{name: string, status: string, started_at?: string | null, finished_at?: string | null, seconds?: number | null, note?: string | null}} Step */

/** @param {Step[]} steps @param {{label: string, back?: boolean}} options */
export function stepRail(steps, { label, back = false }) {
  return h(
    "ol",
    { class: `rail ${back ? "back" : ""}`, "aria-label": label },
    steps.map((step) => {
      const running = step.status === "running" && step.started_at ? (now() - Date.parse(step.started_at)) / 1000 : null;
      const took = step.seconds ?? running;
      return h(
        "li",
        {
          class: step.status,
          "aria-current": step.status === "running" ? "step" : null,
        },
        h("span", { class: "knot" }, mark(TONES[step.status] ?? "calm")),
        h(
          "div",
          { class: "what" },
          h("strong", null, STEPS[step.name] ?? words(step.name)),
          h(
            "span",
            { class: "faint" },
            words(step.status),
            took !== null && took !== undefined && `, ${span(took)}`,
            step.started_at && [", ", time(step.started_at)],
          ),
          step.note && h("span", { class: "note" }, step.note),
        ),
      );
    }),
  );
}

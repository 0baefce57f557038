/** One restore: its steps, what exists now, and the way back. */

import { ask } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { follow } from "../lib/follow.js";
import { capital, gib, time, words } from "../lib/format.js";
import { head } from "../lib/head.js";
import { identifier, instanceLink, snapshotLink, whoLink } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { nameOf } from "../lib/names.js";
import { button, curlButton, empty, facts, section } from "../lib/parts.js";
import { LEAVE, said } from "../lib/said.js";
import { resource } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { outlookOf } from "../dialogs/restore.js";
import { STEPS, stepRail } from "../pictures/rail.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  return follow(page, `/v1/restores/${page.parts[1]}`, draw, {
    lines: 8,
    missing: () => empty("There is no such restore"),
  });
}

/** @param {any} restore */
function draw(restore) {
  const path = `/v1/restores/${restore.id}`;
  const { failure } = restore;
  const open_ = ["requested", "running", "failed"].includes(restore.status);
  return h(
    "div",
    { class: "page" },
    head(`${restore.mode === "drill" ? "Drill" : "Restore"} of ${restore.instance_name ?? nameOf(restore.instance_id) ?? restore.instance_id}`, {
      up: ["Restores", "#/restores"],
      beside: badge(restore.status),
      note: [capital(words(restore.mode)), " ", identifier(restore.id)],
      tools: [
        restore.status === "failed" &&
          button("Try again", () => retry(restore), {
            needs: "operator",
            tone: "primary",
          }),
        open_ &&
          button("Go back", () => cancel(restore), {
            needs: "operator",
            tone: "danger",
          }),
        curlButton("GET", path),
      ],
    }),
    failure &&
      h(
        "div",
        { class: "warning bad" },
        mark("warn"),
        h(
          "div",
          { class: "stack" },
          h("strong", null, `It stopped at: ${words(failure.step)}`),
          h("p", null, said(failure.message)),
          failure.missing_right && h("p", null, `AWS does not allow ${failure.missing_right}.`),
          failure.go_on && h("p", null, h("strong", null, "To go on: "), said(failure.go_on)),
          failure.go_back && h("p", null, h("strong", null, "To go back: "), said(failure.go_back)),
        ),
      ),
    restore.trouble && h("div", { class: "warning" }, mark("warn"), h("p", null, restore.trouble)),
    restore.notes.map((/** @type {string} */ note) => h("div", { class: "warning" }, mark("warn"), h("p", null, note))),
    h(
      "div",
      { class: "columns two" },
      section("Steps", { note: progressOf(restore) }, stepRail(restore.steps, { label: "Steps" })),
      h(
        "div",
        { class: "stack" },
        restore.undo_steps.length > 0 && section("The way back", {}, stepRail(restore.undo_steps, { label: "Steps back", back: true })),
        section(
          "What it is about",
          {},
          facts([
            ["Snapshot", snapshotLink(restore.snapshot_id, restore.snapshot_name)],
            ["Instance", instanceLink(restore.instance_id, restore.instance_name)],
            restore.new_instance_id ? ["New instance", identifier(restore.new_instance_id)] : null,
            ["Asked for by", whoLink(restore.requested_by)],
            ["Begun", time(restore.created_at, "both")],
            ["Ended", restore.finished_at ? time(restore.finished_at, "both") : "not yet"],
            ["Region", restore.region],
          ]),
        ),
        (outlookOf(restore.outlook)?.length ?? 0) > 0 && section("What to expect", {}, outlookOf(restore.outlook)),
        section("What exists now", {}, exists(restore)),
      ),
    ),
  );
}

/** @param {any} restore */
function progressOf({ progress, steps, status }) {
  const step = steps[progress.step - 1];
  if (status === "done") return "Everything is done.";
  return step ? `Step ${progress.step} of ${progress.of}: ${STEPS[step.name] ?? words(step.name)}` : progress.text;
}

/** @param {any} restore */
function exists(restore) {
  const made = restore.volumes.filter((/** @type {any} */ volume) => volume.volume_id);
  return [
    restore.failure?.exists?.length > 0 &&
      h(
        "ul",
        null,
        restore.failure.exists.map((/** @type {string} */ each) => h("li", null, each)),
      ),
    made.length === 0 && h("p", { class: "note" }, "Nothing has been made yet."),
    made.length > 0 &&
      h(
        "ul",
        { class: "feed" },
        made.map((/** @type {any} */ volume) =>
          h(
            "li",
            null,
            h("span", { class: "faint" }, "new"),
            h(
              "div",
              { class: "what" },
              identifier(volume.volume_id),
              h("span", { class: "note" }, `${gib(volume.size_gib)} ${volume.volume_type}${volume.device ? `, of ${volume.device}` : ""}`),
            ),
          ),
        ),
      ),
    restore.old_volumes.length > 0 &&
      h(
        "ul",
        { class: "feed" },
        restore.old_volumes.map((/** @type {any} */ volume) =>
          h(
            "li",
            null,
            h("span", { class: "faint" }, "old"),
            h("div", { class: "what" }, identifier(volume.volume_id), h("span", { class: "note" }, `was at ${volume.device}`)),
          ),
        ),
      ),
    restore.old_volumes_expire_at &&
      h(
        "p",
        null,
        "The old volumes are kept until ",
        time(restore.old_volumes_expire_at, "both"),
        "; they are marked, and deleting them stays your decision.",
      ),
    restore.snapshot_first_id &&
      h("p", null, "What was there before is in ", snapshotLink(restore.snapshot_first_id, "the snapshot taken first"), "."),
  ];
}

/** @param {any} restore */
async function retry(restore) {
  try {
    await ask("POST", `/v1/restores/${restore.id}/retry`);
    toast("It goes on at the step where it stopped.");
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), {
      tone: "bad",
      seconds: 12,
    });
  }
  resource(`/v1/restores/${restore.id}`).refresh();
}

/** @param {any} restore */
async function cancel(restore) {
  const leave = h("input", { type: "checkbox" });
  const path = `/v1/restores/${restore.id}/cancel`;
  const body = () => (leave.checked ? { leave: true } : {});
  await open({
    title: "Go back",
    tone: "danger",
    act: "Go back",
    leave: "Let it go on",
    acting: "Asking…",
    body: [
      h("p", null, restore.failure?.go_back ?? "What was done is taken back where it can be: new volumes are deleted, the old ones put back."),
      h("label", { class: "row" }, leave, LEAVE),
    ],
    extra: curlButton("POST", path, body),
    run: () => ask("POST", path, { body: body() }),
  });
}

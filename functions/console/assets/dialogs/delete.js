/** Deletes a snapshot by name. Nothing brings it back but its grace, and the Recycle Bin outside of this page. */

import { ask, withQuery } from "../lib/api.js";
import { open, recheck } from "../lib/dialog.js";
import { field, select } from "../lib/fields.js";
import { fill, h } from "../lib/dom.js";
import { gib, money, time } from "../lib/format.js";
import { identifier } from "../lib/ids.js";
import { mark } from "../lib/marks.js";
import { curlButton, facts } from "../lib/parts.js";
import { rescue } from "./rescue.js";
import { toast } from "../lib/toast.js";

/** @param {any} snapshot */
export async function deleteSnapshot(snapshot) {
  const typed = h("input", {
    autocomplete: "off",
    spellcheck: "false",
    id: "confirm-name",
    dir: "auto",
  });
  const grace = select(
    [
      ["0", "at once"],
      ["60", "after an hour"],
      ["1440", "after a day"],
    ],
    "60",
  );
  const reason = h("input", { maxlength: 500, placeholder: "for the audit" });
  const frees = h("span", null, "…");
  const path = () => withQuery(`/v1/snapshots/${snapshot.id}`, { grace_minutes: grace.value });
  ask("GET", `/v1/snapshots/${snapshot.id}/billing`).then(
    (bill) => {
      const { at_least_gib: least, at_most_gib: most, saves_at_most: saves } = bill.deletion_frees;
      const range = least === most ? gib(most) : `${gib(least)} to ${gib(most)}`;
      fill(frees, `${range}, at most ${money(saves, bill.price.currency)} a month`);
    },
    () => fill(frees, "not known just now"),
  );
  const deleted = await open({
    title: "Delete this snapshot",
    tone: "danger",
    act: "Delete",
    acting: "Deleting…",
    body: [
      h(
        "div",
        { class: "warning bad" },
        mark("warn"),
        h(
          "div",
          null,
          h("strong", null, "This cannot be undone"),
          h("p", null, "once the grace is over. The EBS snapshots of this set are deleted at AWS."),
        ),
      ),
      facts([
        ["Name", h("bdi", null, snapshot.name)],
        ["Id", identifier(snapshot.id)],
        ["Instance", [h("bdi", null, snapshot.instance_name ?? "no name"), " ", identifier(snapshot.instance_id)]],
        ["Size of its volumes", gib(snapshot.size_gib)],
        ["Created", time(snapshot.created_at, "both")],
        ["Deleting frees", frees],
      ]),
      snapshot.hold &&
        h(
          "div",
          { class: "warning" },
          mark("warn"),
          h("p", null, `It is held: ${snapshot.hold.reason ?? "no reason was given"}. A hold until a time stops even this.`),
        ),
      field("When", grace, "Until then it can be rescued."),
      field("Why", reason),
      field(`Type its name to delete it: ${snapshot.name}`, typed),
    ],
    extra: curlButton("DELETE", path),
    ready: () => typed.value === snapshot.name,
    run: () => ask("DELETE", path(), { reason: reason.value }),
  });
  if (!deleted) return;
  if (grace.value === "0") toast(`${snapshot.name} is being deleted.`);
  else toast(`${snapshot.name} goes ${grace.value === "60" ? "in an hour" : "in a day"}.`, { action: "Undo", act: () => rescue(snapshot) });
  recheck(frees);
}

/** Takes away the record of a snapshot that EC2 no longer has. @param {any} snapshot */
export async function removeRecord(snapshot) {
  const path = `/v1/snapshots/${snapshot.id}?record_only=true`;
  await open({
    title: "Remove the record",
    tone: "danger",
    act: "Remove the record",
    acting: "Removing…",
    body: [
      h("p", null, "EC2 is not asked to delete anything. The entry leaves the list; the audit keeps what happened."),
      facts([
        ["Name", h("bdi", null, snapshot.name)],
        ["Id", identifier(snapshot.id)],
        ["Created", time(snapshot.created_at, "both")],
      ]),
    ],
    extra: curlButton("DELETE", path),
    run: () => ask("DELETE", path),
  });
}

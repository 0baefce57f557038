/** Deregisters an image. What was launched from it goes on. */

import { ask, withQuery } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { field } from "../lib/fields.js";
import { h } from "../lib/dom.js";
import { identifier, snapshotLink } from "../lib/ids.js";
import { mark } from "../lib/marks.js";
import { curlButton, facts } from "../lib/parts.js";
import { toast } from "../lib/toast.js";

/** @param {any} image */
export async function deregisterImage(image) {
  const typed = h("input", { autocomplete: "off", spellcheck: "false", dir: "auto" });
  const snapshot = h("input", { type: "checkbox" });
  const reason = h("input", { maxlength: 500, placeholder: "for the audit" });
  const path = () => withQuery(`/v1/images/${image.id}`, { delete_snapshots: snapshot.checked ? "true" : undefined });
  const gone = await open({
    title: "Deregister this image",
    tone: "danger",
    act: "Deregister",
    acting: "Asking…",
    body: [
      h(
        "div",
        { class: "warning bad" },
        mark("warn"),
        h(
          "div",
          null,
          h("strong", null, "Nothing can be launched from it any more"),
          h("p", null, "Instances that were launched from it go on. Launch templates and groups that name it launch no more."),
        ),
      ),
      facts([
        ["Name", h("bdi", null, image.name)],
        ["AMI", image.ami_id ? identifier(image.ami_id) : "not registered yet"],
        ["Of the snapshot", snapshotLink(image.snapshot_id, "its snapshot")],
      ]),
      h("label", { class: "row" }, snapshot, "Delete its snapshot as well, if nothing else needs it"),
      field("Why", reason),
      field(`Type the image's name to confirm: ${image.name}`, typed),
    ],
    extra: curlButton("DELETE", path),
    ready: () => typed.value === image.name,
    run: () => ask("DELETE", path(), { reason: reason.value }),
  });
  if (gone) toast(`The image ${image.name} is being deregistered.`);
}

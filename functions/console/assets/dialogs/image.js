/** Registers an AMI from a snapshot. */

import { ask, idempotencyKey } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { field } from "../lib/fields.js";
import { h } from "../lib/dom.js";
import { mark } from "../lib/marks.js";
import { curlButton } from "../lib/parts.js";
import { toast } from "../lib/toast.js";

/** The name with what EC2 does not take in an image's name made a hyphen. @param {string} name */
export const imageName = (name) =>
  name
    .replaceAll(":", ".")
    .replace(/[^A-Za-z0-9 ()[\]./'@_-]+/g, "-")
    .trim()
    .slice(0, 128);

/** @param {any} snapshot */
export async function registerImage(snapshot) {
  const key = idempotencyKey();
  const name = h("input", {
    maxlength: 128,
    value: imageName(snapshot.name),
    dir: "auto",
  });
  const description = h("input", { maxlength: 255, dir: "auto" });
  const body = () => ({
    name: name.value || null,
    description: description.value || null,
  });
  const made = await open({
    title: "Register an image",
    act: "Register",
    acting: "Asking…",
    body: [
      h("div", { class: "warning" }, mark("warn"), h("p", null, "As long as an image uses the snapshot, nothing can delete it.")),
      field("Name", name),
      field("Description", description),
    ],
    extra: curlButton("POST", `/v1/snapshots/${snapshot.id}/image`, body),
    run: () => ask("POST", `/v1/snapshots/${snapshot.id}/image`, { body: body(), key }),
  });
  if (made) toast(`The image ${made.name} is being registered.`);
}

/** Changes what people say of a snapshot: name, description, expiry. */

import { ask } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { field } from "../lib/fields.js";
import { h } from "../lib/dom.js";
import { curlButton } from "../lib/parts.js";
import { dayAhead } from "./hold.js";

/** @param {any} snapshot */
export function editSnapshot(snapshot) {
  const name = h("input", {
    maxlength: 255,
    required: true,
    value: snapshot.name,
    dir: "auto",
  });
  const description = h("textarea", { maxlength: 1000, dir: "auto" }, snapshot.description ?? "");
  const expires = h("input", {
    type: "date",
    min: dayAhead(1),
    value: snapshot.expires_at?.slice(0, 10) ?? "",
  });
  const expiry = () =>
    expires.value === (snapshot.expires_at?.slice(0, 10) ?? "") ? {} : { expires_at: expires.value ? `${expires.value}T23:59:59Z` : null };
  const body = () => ({
    name: name.value,
    description: description.value || null,
    ...expiry(),
  });
  return open({
    title: "Edit the snapshot",
    act: "Save",
    acting: "Saving…",
    body: [
      field("Name", name),
      field("Description", description),
      field("Delete it after", expires, "Empty: no expiry of its own. An earlier one needs an admin."),
    ],
    extra: curlButton("PATCH", `/v1/snapshots/${snapshot.id}`, body),
    ready: () => name.value.trim() !== "",
    run: () =>
      ask("PATCH", `/v1/snapshots/${snapshot.id}`, {
        body: body(),
        ifMatch: snapshot.version,
      }),
  });
}

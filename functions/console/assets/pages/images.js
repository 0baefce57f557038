/** Which images were registered of snapshots, and what keeps them? */

import { withQuery } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { stamp, words } from "../lib/format.js";
import { head } from "../lib/head.js";
import { filters } from "../lib/filters.js";
import { list, nothing } from "../lib/list.js";
import { identifier, instanceLink, snapshotLink, whoLink } from "../lib/ids.js";
import { badge } from "../lib/marks.js";
import { button, curlButton, empty } from "../lib/parts.js";
import { link } from "../lib/router.js";

/** Where an image may stand. */
const STATUSES = ["requested", "registering", "available", "failed", "deregistering", "deregistered", "missing"];

/** Whether there is nothing left to deregister. @param {any} image */
export const isGone = (image) => ["deregistering", "deregistered", "missing"].includes(image.status);

/** @param {any} image */
export const deregisterButton = (image) =>
  button("Deregister", async () => (await import("../dialogs/deregister.js")).deregisterImage(image), {
    needs: "admin",
    tone: "danger",
    label: `Deregister ${image.name}`,
    disabled: isGone(image) && "It is gone already, or going.",
  });

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const { query } = page;
  const path = () =>
    withQuery("/v1/images", {
      status: page.query.status,
      instance_id: page.query.instance_id,
      snapshot_id: page.query.snapshot_id,
      limit: 50,
    });
  return h(
    "div",
    { class: "page" },
    head("Images", {
      note: "AMIs that were registered here of a snapshot. As long as one uses its snapshot, nothing can delete that.",
      tools: curlButton("GET", path),
    }),
    filters(page, {
      selects: [{ name: "status", label: "Any status", options: STATUSES.map((word) => [word, words(word)]) }],
    }),
    list(page, {
      path,
      caption: "Images",
      key: (item) => item.id,
      none: () =>
        nothing("images", Boolean(query.status || query.instance_id || query.snapshot_id), () =>
          empty(
            "No image yet",
            "Open an available snapshot, and register one of it.",
            h("a", { class: "button", href: link("/snapshots", { status: "available" }) }, "To the snapshots"),
          ),
        ),
      columns: [
        {
          name: "Image",
          show: (item) =>
            h("span", { class: "named" }, h("a", { class: "name", href: link(`/images/${item.id}`), dir: "auto" }, item.name), identifier(item.id)),
        },
        { name: "AMI", show: (item) => (item.ami_id ? identifier(item.ami_id) : h("span", { class: "faint" }, "not yet")) },
        {
          name: "Of",
          show: (item) => h("div", null, snapshotLink(item.snapshot_id, "its snapshot"), h("div", null, instanceLink(item.instance_id))),
        },
        { name: "Where", kind: "short", show: (item) => item.region },
        { name: "Status", show: (item) => badge(item.status) },
        { name: "Asked for", kind: "short", show: (item) => stamp(item.created_at) },
        { name: "By", show: (item) => whoLink(item.requested_by) },
        { name: "", show: deregisterButton },
      ],
    }),
  );
}

/** The lines of the comb, of what the API answers. */

import { ask } from "../lib/api.js";
import { nameOf } from "../lib/names.js";
import { link } from "../lib/router.js";

/** The lines of these snapshots alone, while the combs cannot be had. @param {any[]} items */
export function byInstance(items) {
  /** @type {Map<string, any>} */
  const lines = new Map();
  for (const item of items) {
    if (!item.taken_at && !item.created_at) continue;
    if (item.status === "deleted") continue;
    const line = lines.get(item.instance_id) ?? {
      id: item.instance_id,
      name: item.instance_name ?? item.instance_id,
      href: link(`/instances/${item.instance_id}`),
      teeth: [],
    };
    line.teeth.push(toothOf(item));
    lines.set(item.instance_id, line);
  }
  return [...lines.values()].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })).slice(0, 60);
}

/** @param {any} item @returns {import("../pictures/comb.js").Tooth} */
export function toothOf(item) {
  return {
    id: item.id ?? item.snapshot_id,
    name: item.name ?? "",
    taken_at: item.taken_at ?? item.created_at,
    status: item.status,
    held: Boolean(item.held ?? item.hold),
    kept_by: item.kept_by ?? item.fate?.kept_by ?? [],
    outlook: item.outlook ?? item.fate?.outlook ?? "unknown",
    goes_at: item.condemned?.delete_after ?? item.expected_deletion_at ?? item.fate?.expected_deletion_at ?? null,
  };
}

/** All snapshots of these instances in short. @param {string[]} ids */
export async function combsOf(ids) {
  /** @type {any[]} */
  const answers = [];
  for (let at = 0; at < ids.length; at += 25)
    answers.push(
      await ask("POST", "/v1/instances/combs:batch", {
        body: { instance_ids: ids.slice(at, at + 25) },
      }),
    );
  const combs = answers.flatMap((answer) => answer.items).filter((each) => each.items.length > 0);
  return combs
    .map((each) => ({
      id: each.instance_id,
      name: each.instance_name ?? nameOf(each.instance_id) ?? each.instance_id,
      href: link(`/instances/${each.instance_id}`),
      teeth: each.items.map(toothOf),
    }))
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

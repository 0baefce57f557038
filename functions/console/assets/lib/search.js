/** What an id or a part of a name leads to. */

import { ask, withQuery } from "./api.js";
import { link } from "./router.js";

/** @typedef {{name: string, kind: string, href: string}} Found */

/** What an id is by its form alone. @param {string} text @returns {Found[]} */
export function byForm(text) {
  /** @type {[RegExp, string, (id: string) => string][]} */
  const forms = [
    [/^i-[0-9a-f]{8,17}$/, "instance", (id) => link(`/instances/${id}`)],
    [/^snp_[0-9a-f-]{36}$/, "snapshot", (id) => link(`/snapshots/${id}`)],
    [/^sch_[0-9a-f-]{36}$/, "schedule", (id) => link(`/schedules/${id}`)],
    [/^rst_[0-9a-f-]{36}$/, "restore", (id) => link(`/restores/${id}`)],
    [/^swp_[0-9a-f-]{36}$/, "sweep", (id) => link(`/sweeps/${id}`)],
    [/^img_[0-9a-f-]{36}$/, "image", (id) => link(`/images/${id}`)],
    [/^(snap|vol)-[0-9a-f]{8,17}$/, "EBS snapshot or volume", (id) => link("/account", { q: id })],
    [/^ami-[0-9a-f]{8,17}$/, "AMI", (id) => link("/account", { q: id })],
  ];
  return forms.filter(([form]) => form.test(text)).map(([, kind, href]) => ({ name: text, kind, href: href(text) }));
}

/** @param {any} item @returns {Found} */
function answer(item) {
  const places = /** @type {Record<string, string>} */ ({
    instance: "instances",
    snapshot: "snapshots",
    schedule: "schedules",
    restore: "restores",
    sweep: "sweeps",
    image: "images",
  });
  const place = places[item.type];
  return {
    name: item.name || item.id,
    kind: `${item.type} ${item.id}`,
    href: place ? link(`/${place}/${item.id}`) : link("/account", { q: item.id }),
  };
}

/** @param {string} text @returns {Promise<Found[]>} */
export async function search(text) {
  const found = await ask("GET", withQuery("/v1/search", { q: text }));
  return (found.items ?? []).map(answer);
}

/** What is set, and what does it mean? */

import { h } from "../lib/dom.js";
import { followAll } from "../lib/follow.js";
import { capital, count, words } from "../lib/format.js";
import { head } from "../lib/head.js";
import { badge } from "../lib/marks.js";
import { curlButton, facts, section } from "../lib/parts.js";
import { session } from "../lib/session.js";

/** What each of the limits means. */
const MEANS = /** @type {Record<string, string>} */ ({
  ebs_snapshots_per_region: "EBS snapshots that the account may have in a region; schedules are checked against it.",
  excluded_volumes: "Volumes that one request may leave out.",
  pending_per_volume: "Snapshots of a volume that may be under way at once.",
  schedules_per_assignment: "Schedules that may be for one instance by name.",
  shutdown_first: "Whether an instance is shut down before its snapshot is taken.",
  several_volumes: "Whether all volumes of an instance are taken at one instant.",
  take: "Whether snapshots can be taken.",
  delete: "Whether snapshots can be deleted.",
  restore: "Whether snapshots can be restored.",
  images: "Whether images can be registered.",
});

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  return h(
    "div",
    { class: "page" },
    head("Settings", {
      note: "What is set where Snapkeep was deployed. Nothing can be changed here: the template's parameters can.",
      tools: curlButton("GET", "/v1/capabilities"),
    }),
    followAll(page, ["/v1/capabilities", "/v1/health", "/v1/me"], (capabilities, health, me) =>
      h(
        "div",
        { class: "stack" },
        section(
          "You",
          {},
          facts([
            ["Name", h("bdi", null, me.who)],
            ["Role", [badge("calm", me.role), session.role !== session.given && h("span", { class: "note" }, " tried; yours is higher")]],
            ["May", may(me.role)],
          ]),
        ),
        section(
          "Where it works",
          {},
          facts([
            ["Provider", capabilities.provider],
            ["Regions", capabilities.regions.join(", ")],
            ["Version", health.version],
            ["Kind of run", words(session.kind)],
          ]),
        ),
        section("What can be done", {}, list(capabilities.snapshots)),
        section("Limits", {}, list(capabilities.limits)),
        Object.entries(capabilities)
          .filter(
            ([name, value]) =>
              !["provider", "regions", "snapshots", "limits"].includes(name) && value && typeof value === "object" && !Array.isArray(value),
          )
          .map(([name, value]) => section(words(name), {}, list(value))),
      ),
    ),
  );
}

/** @param {Record<string, any>} values */
function list(values) {
  return h(
    "table",
    { class: "list settings" },
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        ["Setting", "Value", "What it means"].map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      null,
      Object.entries(values)
        .filter(([, value]) => typeof value !== "object")
        .map(([name, value]) =>
          h(
            "tr",
            null,
            h("th", { scope: "row", "data-label": "Setting" }, capital(words(name)).replace(/^Ebs/, "EBS")),
            h(
              "td",
              { "data-label": "Value" },
              typeof value === "boolean"
                ? badge(value ? "ok" : "calm", value ? "yes" : "no")
                : typeof value === "number"
                  ? count(value)
                  : text(value)
                    ? ""
                    : String(value),
            ),
            h("td", { "data-label": "What it means", class: "wide" }, text(value) ? capital(value) : (MEANS[name] ?? "")),
          ),
        ),
    ),
  );
}

/** Whether a value is a sentence, and so says itself what it means. @param {any} value */
const text = (value) => typeof value === "string" && value.includes(" ");

/** @param {string} role */
function may(role) {
  return (
    {
      viewer: "Read, preview, simulate.",
      operator: "Read, take, edit, hold, rescue, restore, drill, keep schedules.",
      admin: "All of that, and delete, execute and approve sweeps, adopt.",
    }[role] ?? ""
  );
}

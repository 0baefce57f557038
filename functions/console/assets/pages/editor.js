/** The schedule editor: what it will do and what an edit loses, before it is saved. */

import { ask } from "../lib/api.js";
import { debounced } from "../lib/fields.js";
import { fill, h } from "../lib/dom.js";
import { brief, capital, count, plural, time, words } from "../lib/format.js";
import { head } from "../lib/head.js";
import { instanceLink, snapshotLink } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { button, curlButton, section, skeleton, trouble } from "../lib/parts.js";
import { go, link } from "../lib/router.js";
import { toast } from "../lib/toast.js";
import { form } from "./form.js";
import { riverOf } from "./river.js";

/** @param {import("../lib/page.js").Page} page */
export async function show(page) {
  const id = page.parts[1];
  const isNew = id === "new";
  const before = isNew ? null : await ask("GET", `/v1/schedules/${id}`);
  const fields = form(before);
  const fires = h("div", { class: "stack" }, skeleton(3));
  // What it does may take seconds to say of a great schedule: the rest does not wait for it, and has its place kept.
  const plan = h("div", { class: "stack plan" }, h("p", { class: "note" }, "Looking what it would do…"));
  const problem = h("div");
  /** @type {any[]} */
  let losses = [];
  const river = riverOf(
    page,
    () => ({
      schedule: {
        expression: fields.value().expression,
        timezone: fields.value().timezone,
        retention: fields.value().retention,
      },
    }),
    { lost: () => losses.map((each) => ({ date: each.taken_at })), share: 0.5 },
  );
  const path = isNew ? "/v1/schedules" : `/v1/schedules/${id}`;
  const method = isNew ? "POST" : "PATCH";

  /** Asks what saving this would do. @param {Record<string, any>} value */
  async function tried(value) {
    const chooses = value.targets.instance_ids.length > 0 || value.targets.tags.all_of.length > 0;
    if (!value.name.trim() || !chooses) {
      fill(plan, h("p", { class: "note" }, "Give it a name, and say of which instances."));
      return;
    }
    try {
      const answer = await ask(method, `${path}?preview=true`, { body: value });
      losses = (answer.changes ?? []).filter((/** @type {any} */ change) => change.after === "delete");
      fill(plan, isNew ? showLimits(answer.limits) : showEdit(answer));
    } catch (error) {
      fill(plan, trouble(error));
    }
  }

  const refresh = debounced(async () => {
    const value = fields.value();
    const asked = [
      ask("POST", "/v1/schedules/preview", {
        body: {
          expression: value.expression,
          timezone: value.timezone,
          count: 6,
        },
      }).then(
        (answer) => fill(fires, showFires(answer)),
        (error) => fill(fires, trouble(error)),
      ),
      tried(value),
    ];
    await Promise.all(asked);
    river.again();
  }, 450);
  fields.element.addEventListener("input", refresh);
  fields.element.addEventListener("change", refresh);
  refresh();

  async function save() {
    fill(problem);
    try {
      const saved = await ask(method, path, {
        body: fields.value(),
        ifMatch: before?.version,
        reason: fields.reason(),
      });
      toast(isNew ? "The schedule is made." : "The schedule is saved.");
      go(link(`/schedules/${saved.id ?? id}`));
    } catch (error) {
      fill(problem, trouble(error));
      problem.scrollIntoView({ block: "center" });
    }
  }

  return h(
    "div",
    { class: "page" },
    head(isNew ? "A new schedule" : `Edit ${before.name}`, {
      up: isNew ? ["Schedules", "#/schedules"] : [before.name, link(`/schedules/${id}`)],
      note: "What you change is tried at once; nothing is saved until you say so.",
    }),
    h(
      "div",
      { class: "columns two" },
      h(
        "div",
        { class: "stack" },
        section(
          "The schedule",
          {},
          fields.element,
          problem,
          h(
            "div",
            { class: "row" },
            button("Save", save, {
              tone: "primary",
              needs: "operator",
              id: "save",
            }),
            h(
              "a",
              {
                class: "button",
                href: isNew ? "#/schedules" : link(`/schedules/${id}`),
              },
              "Cancel",
            ),
            curlButton(method, path, () => fields.value()),
          ),
        ),
      ),
      h(
        "div",
        { class: "stack" },
        section(isNew ? "What it comes to" : "What this edit does", {}, plan),
        section("When it fires", {}, fires),
        section("What it keeps in a year", { note: "Of one instance. A cross is what this edit would delete." }, river),
      ),
    ),
  );
}

/** A local time of the schedule's own zone, in words. @param {string} local */
const localWords = (local) =>
  new Date(`${local.slice(0, 16)}:00Z`).toLocaleString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "UTC",
  });

/** @param {any} answer */
function showFires(answer) {
  return [
    h("p", null, capital(answer.description)),
    h(
      "ol",
      { class: "feed" },
      answer.fires.map((/** @type {any} */ fire) => h("li", null, time(fire.at, "relative"), h("span", null, localWords(fire.local)))),
    ),
    answer.skipped.map((/** @type {any} */ each) =>
      h("div", { class: "warning" }, mark("warn"), h("p", null, `${each.local.replace("T", " ")} does not exist: ${each.reason}`)),
    ),
    answer.repeated.map((/** @type {any} */ each) =>
      h(
        "div",
        { class: "warning" },
        mark("warn"),
        h(
          "p",
          null,
          `${each.local.slice(0, 16).replace("T", " ")} comes twice when the clock is set back; it fires once, `,
          time(each.fires_at),
          ".",
        ),
      ),
    ),
  ];
}

/** @param {any} answer */
function showEdit(answer) {
  const { before, after, changes } = answer;
  const gone = changes.filter((/** @type {any} */ change) => change.after === "delete");
  const saved = changes.filter((/** @type {any} */ change) => change.after === "keep");
  return [
    h(
      "p",
      null,
      `The next sweep keeps ${count(after.kept)} and deletes ${count(after.deleted)}. Without this edit: ${count(before.kept)} and ${count(before.deleted)}.`,
    ),
    answer.braked &&
      h(
        "div",
        { class: "warning bad" },
        mark("warn"),
        h("div", null, h("strong", null, "The brake would stop it"), h("p", null, answer.braked_reason)),
      ),
    gone.length > 0 &&
      h(
        "div",
        null,
        h("p", null, badge("bad", `${plural(answer.changes_total - saved.length, "snapshot")} would go that would stay now`)),
        changed(gone),
      ),
    saved.length > 0 &&
      h("div", null, h("p", null, badge("good", `${plural(saved.length, "snapshot")} would stay that would go now`)), changed(saved)),
    changes.length === 0 && h("p", null, badge("good", "No snapshot's fate changes.")),
    showLimits(answer.limits),
  ];
}

/** @param {any[]} changes */
function changed(changes) {
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Changes" },
    h(
      "table",
      { class: "list" },
      h("caption", { class: "unseen" }, "What changes"),
      h(
        "tbody",
        null,
        changes
          .slice(0, 12)
          .map((change) =>
            h(
              "tr",
              null,
              h("th", { scope: "row", "data-label": "Snapshot" }, snapshotLink(change.snapshot_id, brief(change.taken_at))),
              h("td", { "data-label": "Instance" }, instanceLink(change.instance_id, change.instance_name)),
              h("td", { "data-label": "Why" }, change.reasons.map(words).join("; ")),
            ),
          ),
      ),
    ),
    changes.length > 12 && h("p", { class: "note" }, `and ${changes.length - 12} more`),
  );
}

/** @param {any} limits */
function showLimits(limits) {
  if (!limits) return null;
  return [
    limits.warnings.map((/** @type {any} */ warning) => h("div", { class: "warning" }, mark("warn"), h("p", null, warning.detail ?? warning))),
    h(
      "p",
      { class: "note" },
      [
        limits.instances !== null && limits.instances !== undefined && plural(limits.instances, "instance"),
        `${limits.fires_per_day.toFixed(1)} slots a day`,
        limits.ebs_snapshots_steady && `at most ${count(limits.ebs_snapshots_steady)} EBS snapshots in the long run`,
      ]
        .filter(Boolean)
        .join(", "),
      ".",
    ),
  ];
}

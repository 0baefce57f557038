/** The fields of a schedule, and what they say together. */

import { field, select } from "../lib/fields.js";
import { h } from "../lib/dom.js";

/** @type {[string, string][]} */
export const COUNTS = [
  ["keep_last", "last"],
  ["keep_hourly", "hourly"],
  ["keep_daily", "daily"],
  ["keep_weekly", "weekly"],
  ["keep_monthly", "monthly"],
  ["keep_yearly", "yearly"],
];
/** @type {[string, string][]} */
export const SPANS = [
  ["keep_within", "Keep all within"],
  ["max_age", "Keep none older than"],
];

/** Expressions that people want most. @type {[string, string][]} */
const PRESETS = [
  ["", "Choose…"],
  ["cron(0 2 * * ? *)", "every night at 2"],
  ["cron(0 0/6 * * ? *)", "every six hours"],
  ["rate(1 hour)", "every hour"],
  ["cron(0 3 ? * SUN *)", "Sundays at 3"],
  ["cron(0 4 1 * ? *)", "the first of each month"],
];

/** @param {any} before */
export function form(before) {
  const zones = [
    "UTC",
    Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(before ? [before.timezone] : []),
    ...(Intl.supportedValuesOf?.("timeZone") ?? []),
  ];
  const name = h("input", {
    maxlength: 256,
    required: true,
    value: before?.name ?? "",
    dir: "auto",
  });
  const expression = h("input", {
    required: true,
    value: before?.expression ?? "cron(0 2 * * ? *)",
    spellcheck: "false",
  });
  const presets = select(PRESETS, "", {
    "aria-label": "A common one",
    onchange: (/** @type {any} */ event) => {
      if (event.target.value) expression.value = event.target.value;
    },
  });
  const zone = h("input", { list: "zones", value: before?.timezone ?? "UTC" });
  const rules = h("input", {
    type: "checkbox",
    checked: before ? before.retention !== null : true,
  });
  const counts = Object.fromEntries(
    COUNTS.map(([key]) => [
      key,
      h("input", {
        type: "number",
        min: 1,
        max: 100000,
        value: before?.retention?.[key] ?? (before ? "" : ({ keep_daily: 7, keep_weekly: 4, keep_monthly: 6 }[key] ?? "")),
      }),
    ]),
  );
  const spans = Object.fromEntries(
    SPANS.map(([key]) => [
      key,
      h("input", {
        value: before?.retention?.[key] ?? "",
        placeholder: "30d",
        spellcheck: "false",
      }),
    ]),
  );
  const tags = h("textarea", { spellcheck: "false", placeholder: "Backup: nightly" }, lines(before?.targets.tags?.all_of));
  const named = h("textarea", { spellcheck: "false", placeholder: "i-0123456789abcdef0" }, (before?.targets.instance_ids ?? []).join("\n"));
  const grace = h("input", {
    type: "number",
    min: 0,
    max: 525600,
    value: before?.grace_minutes ?? "",
  });
  const drills = h("input", {
    value: before?.drill_every ?? "",
    placeholder: "7d",
  });
  const reason = h("input", { maxlength: 500 });
  const keeps = h(
    "div",
    { class: "fields" },
    COUNTS.map(([key, text]) => field(`Keep ${text}`, counts[key])),
    SPANS.map(([key, text]) => field(text, spans[key])),
  );
  const sync = () => keeps.toggleAttribute("hidden", !rules.checked);
  rules.addEventListener("change", sync);
  sync();

  function retention() {
    if (!rules.checked) return null;
    /** @type {Record<string, any>} */
    const wanted = { ...(before?.retention ?? {}) };
    for (const [key, input] of Object.entries(counts)) wanted[key] = input.value === "" ? null : Number(input.value);
    for (const [key, input] of Object.entries(spans)) wanted[key] = input.value.trim() || null;
    for (const key of Object.keys(wanted)) if (wanted[key] === null) delete wanted[key];
    return Object.keys(wanted).length ? wanted : null;
  }

  const element = h(
    "form",
    {
      class: "stack",
      onsubmit: (/** @type {Event} */ event) => event.preventDefault(),
    },
    h(
      "datalist",
      { id: "zones" },
      [...new Set(zones)].map((each) => h("option", { value: each })),
    ),
    field("Name", name),
    h(
      "div",
      { class: "fields" },
      field("When", expression, "rate(…), cron(…) or at(…), as EventBridge writes it"),
      field("Or a common one", presets),
      field("Time zone", zone),
    ),
    h("h3", null, "Of which instances"),
    h(
      "div",
      { class: "fields" },
      field("Tags, all of them", tags, "One a line: key: value. A star stands for anything."),
      field("And these by their id", named, "One a line."),
    ),
    h("h3", null, "How long"),
    h("label", { class: "row" }, rules, "Rules delete what nothing keeps"),
    keeps,
    h(
      "details",
      null,
      h("summary", null, "More"),
      h(
        "div",
        { class: "fields" },
        field("Grace in minutes", grace, "Between a sweep and the deletion. Empty: as set."),
        field("A drill every", drills, "A restore for practice, as 7d."),
      ),
    ),
    field("Why", reason, "For the audit."),
  );
  return {
    element,
    reason: () => reason.value,
    value: () => ({
      name: name.value,
      expression: expression.value,
      timezone: zone.value,
      targets: {
        instance_ids: named.value.split(/\s+/).filter(Boolean),
        tags: { ...(before?.targets.tags ?? {}), all_of: pairs(tags.value) },
      },
      retention: retention(),
      grace_minutes: grace.value === "" ? null : Number(grace.value),
      drill_every: drills.value.trim() || null,
    }),
  };
}

/** @param {{key: string, value: string}[]} [tags] */
const lines = (tags) => (tags ?? []).map((tag) => `${tag.key}: ${tag.value}`).join("\n");

/** @param {string} text */
export function pairs(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const at = line.indexOf(": ") >= 0 ? line.lastIndexOf(": ") : -1;
      return at < 0 ? { key: line.replace(/:$/, ""), value: "*" } : { key: line.slice(0, at).trim(), value: line.slice(at + 2).trim() };
    });
}

/** One sweep: what stays, what goes, why, and what the brake says. */

import { ask, withQuery } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { h } from "../lib/dom.js";
import { follow, followAll } from "../lib/follow.js";
import { brief, capital, count, humane, plural, time, words } from "../lib/format.js";
import { head, picture, room } from "../lib/head.js";
import { list } from "../lib/list.js";
import { identifier, instanceLink, scheduleLink, snapshotLink } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { button, curlButton, empty, facts, section } from "../lib/parts.js";
import { setQuery } from "../lib/router.js";
import { brakeLine, reasonBar } from "../pictures/reasons.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  const id = page.parts[1];
  const path = () =>
    withQuery(`/v1/sweeps/${id}`, {
      verdict: page.query.verdict,
      unexpected: page.query.unexpected,
      limit: 100,
    });
  return h(
    "div",
    { class: "page" },
    follow(page, `/v1/sweeps/${id}?limit=1`, (sweep) => top(page, sweep), {
      lines: 6,
      missing: () => empty("There is no such sweep"),
    }),
    section(
      "The plan",
      {
        note: "A verdict and its reasons for every snapshot.",
        id: "plan",
        tools: curlButton("GET", path),
      },
      list(page, {
        path,
        caption: "Plan",
        key: (item) => item.snapshot_id,
        items: (data) => data.plan.items.map((/** @type {any} */ item) => ({ ...item })),
        none: () => empty("Nothing is in the plan", "It is still being made, or nothing is like this."),
        columns: [
          {
            name: "Snapshot",
            show: (item) => snapshotLink(item.snapshot_id, item.name ?? brief(item.taken_at)),
          },
          {
            name: "Instance",
            show: (item) => instanceLink(item.instance_id, item.instance_name),
          },
          {
            name: "Verdict",
            show: (item) => [
              badge(item.verdict === "keep" ? "ok" : item.verdict === "delete" ? "bad" : "blocked", item.verdict),
              item.unexpected && h("div", null, badge("warn", "unexpected")),
            ],
          },
          {
            name: "Why",
            kind: "wide",
            show: (item) =>
              h(
                "ul",
                { class: "clip" },
                item.reasons.map((/** @type {string} */ reason) => h("li", null, humane(reason))),
              ),
          },
          {
            name: "Became",
            show: (item) => (item.outcome ? badge(item.outcome, words(item.outcome)) : "–"),
          },
          { name: "Taken", show: (item) => time(item.taken_at) },
        ],
      }),
    ),
  );
}

/** @param {import("../lib/page.js").Page} page @param {any} sweep */
function top(page, sweep) {
  const { planned } = sweep;
  const parts = [
    { key: "keep", text: "stays", number: planned.keep, tone: "keep" },
    { key: "delete", text: "goes", number: planned.delete, tone: "delete" },
    {
      key: "blocked",
      text: "should go, blocked",
      number: planned.blocked,
      tone: "blocked",
    },
  ];
  const choose = (/** @type {string} */ key) => setQuery({ verdict: page.query.verdict === key ? "" : key }, { step: true });
  const bar = picture(page, () => reasonBar(parts, { width: room(), chosen: page.query.verdict, choose }));
  page.onQuery(() => bar.again());
  return h(
    "div",
    { class: "page" },
    head(sweep.mode === "plan_only" ? "What would go" : "Sweep", {
      up: ["Sweeps", "#/sweeps"],
      beside: badge(sweep.status),
      note: ["Of ", time(sweep.created_at, "both"), " ", identifier(sweep.id)],
      tools: [
        sweep.status === "needs_approval" &&
          button("Look and approve", () => approve(sweep), {
            needs: "admin",
            tone: "danger",
          }),
        curlButton("GET", `/v1/sweeps/${sweep.id}`),
      ],
    }),
    sweep.status === "needs_approval" &&
      h(
        "div",
        { class: "warning bad" },
        mark("warn"),
        h(
          "div",
          null,
          h("strong", null, "The brake has stopped this plan"),
          h(
            "p",
            null,
            "It would delete much more than the rules in force until now would. Nothing of these schedules is touched until an admin approves this very plan. After an hour it has to be made anew.",
          ),
        ),
      ),
    sweep.refusal && h("div", { class: "warning bad" }, mark("warn"), h("p", null, sweep.refusal)),
    section(
      "Reasons",
      { note: "Choose a part to see which snapshots it is." },
      bar.element,
      facts([
        ["Judged", count(planned.snapshots)],
        ["Condemned", count(sweep.executed.condemned)],
        ["Left out at the end", count(sweep.executed.skipped)],
        ["Failed", count(sweep.executed.failed)],
        ["Approved", sweep.approval ? [h("bdi", null, sweep.approval.by ?? sweep.approval.approved_by), ", ", time(sweep.approval.at)] : "not yet"],
        ["Plan's hash", sweep.plan_hash ? h("code", null, sweep.plan_hash.slice(0, 16)) : "–"],
      ]),
    ),
    sweep.brakes.length > 0 &&
      section(
        "The brake",
        {
          note: "Unexpected deletions of each schedule, and where the brake stops.",
        },
        brakes(page, sweep),
      ),
  );
}

/** @param {import("../lib/page.js").Page} page @param {any} sweep */
function brakes(page, sweep) {
  return followAll(page, ["/v1/schedules?limit=200", "/v1/capabilities"], (schedules, capabilities) =>
    h(
      "ul",
      { class: "stack" },
      sweep.brakes.map((/** @type {any} */ brake) => {
        const schedule = schedules.items.find((/** @type {any} */ each) => each.id === brake.schedule_id);
        const limits = capabilities.brake ?? { deletions: 10, percent: 25 };
        return h(
          "li",
          { class: "stack" },
          scheduleLink(brake.schedule_id, brake.schedule_name ?? schedule?.name ?? "adopted snapshots"),
          h(
            "p",
            null,
            `${plural(brake.unexpected, "unexpected deletion")} of ${plural(brake.available, "snapshot")}${brake.earlier ? `, ${brake.earlier} of them in the last day` : ""}.`,
          ),
          brakeLine(brake, limits, Math.min(560, room())),
        );
      }),
    ),
  );
}

/** @param {any} sweep */
async function approve(sweep) {
  const typed = h("input", { type: "checkbox" });
  const body = { plan_hash: sweep.plan_hash };
  const path = `/v1/sweeps/${sweep.id}/approve`;
  await open({
    title: "Approve this plan",
    tone: "danger",
    act: "Approve and delete",
    acting: "Approving…",
    body: [
      h("p", null, `${capital(plural(sweep.planned.delete, "snapshot"))} go, ${count(sweep.planned.keep)} stay.`),
      facts([
        ["Plan's hash", h("code", null, sweep.plan_hash)],
        ["Planned", time(sweep.planned_at, "both")],
      ]),
      h(
        "p",
        { class: "note" },
        "Exactly this plan is released, as long as the rules it was made with still stand. What has come under protection since is left out.",
      ),
      h("label", { class: "row" }, typed, "I have looked at what goes"),
    ],
    extra: curlButton("POST", path, body),
    ready: () => typed.checked,
    run: () => ask("POST", path, { body }),
  });
}

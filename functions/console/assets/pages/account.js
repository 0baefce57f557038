/** Whose is all this, and what is left behind? */

import { ask, withQuery } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { field, select } from "../lib/fields.js";
import { fill, h } from "../lib/dom.js";
import { bytes, count, gib, plural, time, words } from "../lib/format.js";
import { head, picture, room } from "../lib/head.js";
import { filters } from "../lib/filters.js";
import { list, nothing } from "../lib/list.js";
import { identifier, snapshotLink } from "../lib/ids.js";
import { badge } from "../lib/marks.js";
import { button, curlButton, empty, facts, section, skeleton, trouble } from "../lib/parts.js";
import { setQuery } from "../lib/router.js";
import { resource } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { mosaic } from "../pictures/mosaic.js";

const OWNERS = [
  "ours",
  "another_installation",
  "data_lifecycle_manager",
  "aws_backup",
  "image",
  "kubernetes",
  "disaster_recovery",
  "application_migration",
  "other",
];

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  /** @type {Map<string, any>} */
  const picked = new Map();
  const bar = h("div");
  const path = () => withQuery("/v1/reconciliation", { ...pick(page.query), limit: 50 });
  const pickedBar = () =>
    fill(
      bar,
      picked.size > 0 &&
        h(
          "div",
          { class: "pick", role: "status" },
          h("strong", null, `${plural(picked.size, "EBS snapshot")} chosen`),
          button("Adopt…", () => adopt([...picked.values()], () => (picked.clear(), pickedBar())), { needs: "admin", tone: "primary" }),
          button("Choose none", () => (picked.clear(), pickedBar(), untick()), {
            tone: "quiet",
          }),
        ),
    );
  const untick = () => {
    for (const box of table.querySelectorAll("input")) box.checked = false;
  };
  const table = list(page, {
    path,
    caption: "EBS snapshots",
    key: (item) => item.ebs_snapshot_id,
    none: () =>
      nothing("EBS snapshots", Object.keys(page.query).length > 0, () => empty("Nothing was found yet", "The account is looked through each hour.")),
    columns: [
      {
        name: "EBS snapshot",
        show: (item) =>
          h(
            "div",
            { class: "row" },
            item.owner !== "ours" &&
              h("input", {
                type: "checkbox",
                "aria-label": `Choose ${item.ebs_snapshot_id}`,
                onchange: (/** @type {any} */ event) => {
                  if (event.target.checked) picked.set(item.ebs_snapshot_id, item);
                  else picked.delete(item.ebs_snapshot_id);
                  pickedBar();
                },
              }),
            h("span", { class: "named" }, h("bdi", { class: "name" }, item.name ?? item.description ?? "no name"), identifier(item.ebs_snapshot_id)),
          ),
      },
      {
        name: "Whose",
        show: (item) => [badge("calm", words(item.owner)), item.presence !== "here" && badge(item.presence)],
      },
      {
        name: "Of ours",
        show: (item) => (item.snapshot_id ? snapshotLink(item.snapshot_id, "its set") : "–"),
      },
      {
        name: "Volume",
        show: (item) => (item.volume_id ? identifier(item.volume_id) : "–"),
      },
      {
        name: "Size of the volume",
        kind: "number",
        show: (item) => gib(item.size_gib),
      },
      {
        name: "All its data",
        kind: "number",
        show: (item) => bytes(item.full_size_bytes),
      },
      { name: "Taken", show: (item) => time(item.taken_at) },
      {
        name: "Used by",
        show: (item) => (item.ami_ids?.length ? item.ami_ids.map(identifier) : "–"),
      },
    ],
  });
  return h(
    "div",
    { class: "page" },
    head("Account", {
      note: "Every EBS snapshot of the account: whose it is, and what was left behind.",
      tools: [button("Look again now", look, { needs: "operator" }), curlButton("GET", path)],
    }),
    section(
      "Whose",
      {
        note: "A column is an owner, as wide as its volumes are large; what is hatched has lost its volume.",
      },
      owners(page),
    ),
    filters(page, {
      search: "EBS snapshot, volume or name",
      selects: [
        {
          name: "owner",
          label: "Anybody's",
          options: OWNERS.map((word) => [word, words(word)]),
        },
        {
          name: "orphaned",
          label: "With and without a volume",
          options: [["true", "orphaned"]],
        },
        {
          name: "missing",
          label: "Here or missing",
          options: [["true", "missing"]],
        },
      ],
    }),
    bar,
    table,
  );
}

/** @param {Record<string, string>} query */
const pick = ({ q, owner, orphaned, missing, region, volume_id }) =>
  q?.startsWith("vol-") ? { volume_id: q } : { q, owner, orphaned, missing, region, volume_id };

/** @param {import("../lib/page.js").Page} page */
function owners(page) {
  const element = h("div", { class: "stack" }, skeleton(8));
  let again = () => {};
  page.onQuery(() => again());
  page.use("/v1/reconciliation?limit=1", ({ data, error }) => {
    if (!data && error) fill(element, trouble(error));
    if (!data) return;
    /** @type {Map<string, any>} */
    const columns = new Map();
    for (const each of data.regions.flatMap((/** @type {any} */ region) => region.owners)) {
      const column = columns.get(each.owner) ?? {
        owner: each.owner,
        count: 0,
        gib: 0,
        orphanedCount: 0,
        orphanedGib: 0,
      };
      column.count += each.all.count;
      column.gib += each.all.size_gib;
      column.orphanedCount += each.orphaned.count;
      column.orphanedGib += each.orphaned.size_gib;
      columns.set(each.owner, column);
    }
    const drawing = picture(page, () =>
      mosaic([...columns.values()], {
        width: room(),
        chosen: page.query.owner,
        choose: (owner) => setQuery({ owner: page.query.owner === owner ? "" : owner }, { step: true }),
      }),
    );
    again = drawing.again;
    fill(
      element,
      drawing.element,
      h(
        "p",
        { class: "note" },
        data.regions.map((/** @type {any} */ region) => [
          region.region,
          ": looked at ",
          time(region.as_of ?? region.looked_at, "relative"),
          region.out_of_reach && `, out of reach: ${region.out_of_reach}`,
          region.missing.count > 0 && `, ${count(region.missing.count)} missing`,
          ". ",
        ]),
      ),
    );
  });
  return element;
}

async function look() {
  try {
    await ask("POST", "/v1/reconciliation");
    toast("The account is being looked through.");
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), {
      tone: "bad",
    });
  }
}

/** @param {any[]} items @param {() => void} done */
async function adopt(items, done) {
  const all = resource("/v1/schedules?limit=200");
  await all.refresh();
  const schedule = select([["", "no rules: they stay"], ...(all.state.data?.items ?? []).map((/** @type {any} */ each) => [each.id, each.name])]);
  const name = h("input", { maxlength: 255, dir: "auto" });
  const body = () => ({
    ebs_snapshot_ids: items.map((each) => each.ebs_snapshot_id),
    name: name.value || null,
    schedule_id: schedule.value || null,
  });
  const answer = await open({
    title: `Adopt ${plural(items.length, "EBS snapshot")}`,
    act: "Adopt",
    acting: "Adopting…",
    body: [
      h(
        "p",
        null,
        "They become ours: they bear our tags, and the rules of the schedule that you choose. What another service looks after, or an image needs, is refused.",
      ),
      facts([["Together", gib(items.reduce((sum, each) => sum + each.size_gib, 0))]]),
      field("Name", name),
      field("Rules of", schedule),
    ],
    extra: curlButton("POST", "/v1/reconciliation/adopt", body),
    run: () => ask("POST", "/v1/reconciliation/adopt", { body: body() }),
  });
  if (!answer) return;
  done();
  const refused = answer.refused.length ? `; ${answer.refused.length} refused: ${answer.refused[0].detail}` : "";
  toast(`${plural(answer.adopted.length, "set")} adopted${refused}`, {
    seconds: 12,
  });
}

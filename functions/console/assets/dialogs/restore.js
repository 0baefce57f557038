/** Brings a snapshot back: which way, what will be done, what happens to the old volumes. */

import { ask, idempotencyKey } from "../lib/api.js";
import { open, recheck } from "../lib/dialog.js";
import { choice, debounced, field } from "../lib/fields.js";
import { fill, h } from "../lib/dom.js";
import { capital, gib, humane, time } from "../lib/format.js";
import { identifier, told } from "../lib/ids.js";
import { curlButton, facts, trouble } from "../lib/parts.js";
import { go, link } from "../lib/router.js";
import { STOP, acceptance, said } from "../lib/said.js";
import { session } from "../lib/session.js";
import { toast } from "../lib/toast.js";
import { STEPS } from "../pictures/rail.js";
import { dayAhead } from "./hold.js";

/** Each mode: what it is, whether it takes the place of something, its steps, what becomes of the old volumes. */
const MODES = /** @type {Record<string, {title: string, note: string, replaces: boolean, steps: string[], old: string}>} */ ({
  new_volumes: {
    title: "New volumes beside the old ones",
    note: "Nothing is replaced. You attach them where you like.",
    replaces: false,
    steps: ["check", "create_volumes"],
    old: "They stay as they are, attached and in use.",
  },
  new_instance: {
    title: "A new instance",
    note: "Launched as the old one was, with the volumes as they were then.",
    replaces: false,
    steps: ["check", "register_image", "run_instance", "deregister_image"],
    old: "The old instance and its volumes stay as they are.",
  },
  replace_volumes: {
    title: "In place: the instance's volumes",
    note: "The instance is stopped, its volumes are exchanged, and it is started again.",
    replaces: true,
    steps: ["check", "snapshot_first", "create_volumes", "stop_instance", "detach_volumes", "attach_volumes", "start_instance", "tag_old_volumes"],
    old: "They are taken off and kept, marked with the day they may go; deleting them stays your decision.",
  },
  replace_root: {
    title: "In place: the root volume alone",
    note: "The instance reboots from the new root; its other volumes stay as they are now.",
    replaces: true,
    steps: ["check", "snapshot_first", "replace_root", "settle_root", "tag_old_volumes"],
    old: "The old root volume is kept, marked with the day it may go.",
  },
});

/** @param {any} fate */
function becomes(fate) {
  if (!fate) return "not foreseen";
  return fate.expected_deletion_at ? ["goes ", time(fate.expected_deletion_at, "both")] : capital(humane(fate.because));
}

/** @param {any} snapshot */
export async function restoreSnapshot(snapshot) {
  const key = idempotencyKey();
  let mode = "new_volumes";
  const typed = h("input", {
    autocomplete: "off",
    spellcheck: "false",
    dir: "auto",
    id: "confirm-restore",
  });
  const stop = h("input", { type: "checkbox" });
  const first = h("input", { type: "checkbox", checked: true });
  const keep = h("input", { type: "number", min: 1, max: 3650, value: 14 });
  const hold = h("input", { type: "checkbox" });
  const stays = h("input", { placeholder: "/dev/sdf", spellcheck: "false" });
  /** What the API wants accepted by name, and what is. @type {Set<string>} */
  const wanted = new Set();
  /** @type {Set<string>} */
  const accepted = new Set();
  const accepting = h("div", { class: "stack" });
  const plan = h("div", { class: "stack" });
  const choices = h("div", { class: "stack" });
  const path = `/v1/snapshots/${snapshot.id}/restore`;

  function body() {
    const about = MODES[mode];
    const confirm = about.replaces ? typed.value : snapshot.id;
    /** @type {Record<string, any>} */
    const asking = { confirm, mode };
    if (about.replaces)
      Object.assign(asking, {
        snapshot_first: first.checked,
        keep_old_days: Number(keep.value),
      });
    if (mode === "replace_volumes") {
      asking.stop = stop.checked;
      const stay = stays.value.split(/[\s,]+/).filter(Boolean);
      if (stay.length) asking.keep = stay;
    }
    for (const name of accepted) asking[name] = true;
    return asking;
  }

  /** From then on it is no longer asked what would be done: it is being done. */
  let begun = false;
  let asking = new AbortController();
  const preview = debounced(async () => {
    if (begun) return;
    const asked = mode;
    asking = new AbortController();
    try {
      const found = await ask("POST", `${path}?preview=true`, { body: { ...body(), confirm: snapshot.id }, signal: asking.signal });
      if (asked === mode) fill(plan, outline(found.steps.map((/** @type {any} */ step) => step.name)), outlookOf(found.outlook), oldVolumes());
    } catch (error) {
      if (begun || asked !== mode) return;
      // What has to be accepted by name is offered to be accepted.
      for (const [name] of String(error instanceof Error ? error.message : "").matchAll(/accept_[a-z_]+/g)) wanted.add(name);
      fill(plan, trouble(error), outline(MODES[mode].steps), oldVolumes());
      fill(
        accepting,
        [...wanted].map((name) => accept(name)),
      );
    }
  });

  /** @param {string} name */
  function accept(name) {
    const box = h("input", {
      type: "checkbox",
      checked: accepted.has(name),
      onchange: () => {
        if (box.checked) accepted.add(name);
        else accepted.delete(name);
        preview();
      },
    });
    return h("label", { class: "row" }, box, acceptance(name));
  }

  const oldVolumes = () => h("p", null, h("strong", null, "The old volumes: "), MODES[mode].old);

  function show() {
    const about = MODES[mode];
    accepted.clear();
    wanted.clear();
    fill(accepting);
    fill(plan, outline(about.steps.filter((step) => step !== "snapshot_first" || first.checked)), oldVolumes());
    fill(
      choices,
      about.replaces && h("label", { class: "row" }, first, "Take a snapshot of what is there now, first"),
      mode === "replace_volumes" && h("label", { class: "row" }, stop, STOP),
      mode === "replace_volumes" && field("Volumes that stay as they are now", stays, "By device or id, if the snapshot does not have all of them."),
      accepting,
      about.replaces && field("Keep the old volumes for so many days", keep),
      about.replaces && field(`Type the snapshot's name to confirm: ${snapshot.name}`, typed),
      session.may("operator") &&
        !snapshot.hold &&
        h("label", { class: "row" }, hold, "Hold the snapshot for a week, so that it stays while you look"),
    );
    preview();
    recheck(plan);
  }
  first.addEventListener("change", show);
  stop.addEventListener("change", preview);
  stays.addEventListener("change", preview);

  const made = open({
    title: "Restore this snapshot",
    act: "Restore",
    acting: "Asking…",
    wide: true,
    body: [
      facts([
        ["Id", identifier(snapshot.id)],
        ["Name", h("bdi", null, snapshot.name)],
        ["Instance", [h("bdi", null, snapshot.instance_name ?? "no name"), " ", identifier(snapshot.instance_id)]],
        ["Created", time(snapshot.created_at, "both")],
        ["Size of its volumes", gib(snapshot.size_gib)],
        ["What becomes of it", becomes(snapshot.fate)],
      ]),
      h(
        "div",
        { class: "columns two" },
        choice(
          "Which way",
          Object.entries(MODES).map(([name, about]) => [name, about.title, about.note]),
          mode,
          (value) => {
            mode = value;
            show();
          },
        ),
        h("div", { class: "stack" }, h("strong", null, "What will be done"), plan),
      ),
      choices,
    ],
    extra: curlButton("POST", path, body),
    ready: () => !MODES[mode].replaces || typed.value === snapshot.name || typed.value === snapshot.id,
    run: async () => {
      begun = true;
      asking.abort();
      try {
        if (hold.checked) await ask("PATCH", `/v1/snapshots/${snapshot.id}`, { body: { hold: forAWeek() } });
        return await ask("POST", path, { body: body(), key });
      } catch (error) {
        begun = false;
        throw error;
      }
    },
  });
  show();
  const restore = await made;
  if (!restore) return;
  toast("The restore has begun.");
  go(link(`/restores/${restore.id}`));
}

/** The hold of a snapshot that is chosen. */
const forAWeek = () => ({
  type: "never",
  reason: "Chosen for a restore",
  review_at: `${dayAhead(7)}T08:00:00Z`,
});

/** What the API foresees. @param {any} outlook */
export function outlookOf(outlook) {
  if (!outlook) return null;
  const groups = /** @type {[string, string[]][]} */ ([
    ["What it costs", outlook.costs],
    ["What does not come back as it was", outlook.differs],
    ["What the snapshot does not have", outlook.left_out],
    ["What stays with the content of now", outlook.stays.map((/** @type {any} */ volume) => `${volume.device} (${volume.volume_id})`)],
    ["How long it takes", outlook.takes],
  ]);
  return groups
    .filter(([, texts]) => texts.length > 0)
    .map(([title, texts]) =>
      h(
        "div",
        null,
        h("h3", null, title),
        h(
          "ul",
          { class: "note" },
          texts.map((text) => h("li", null, told(said(text)))),
        ),
      ),
    );
}

/** @param {string[]} steps */
function outline(steps) {
  return h(
    "ol",
    { class: "steps" },
    steps.map((step) => h("li", null, STEPS[step] ?? step)),
  );
}

/** A restore for practice. @param {any} snapshot */
export async function drill(snapshot) {
  const key = idempotencyKey();
  const path = `/v1/snapshots/${snapshot.id}/drill`;
  const made = await open({
    title: "Drill: restore for practice",
    act: "Begin the drill",
    acting: "Asking…",
    body: [
      h("p", null, "Volumes are made of the snapshot, and deleted as soon as they can be used. The instance is not touched."),
      facts([
        ["Snapshot", h("bdi", null, snapshot.name)],
        ["Id", identifier(snapshot.id)],
        ["Created", time(snapshot.created_at, "both")],
      ]),
      outline(["check", "create_volumes", "delete_volumes"]),
    ],
    extra: curlButton("POST", path, {}),
    run: () => ask("POST", path, { body: {}, key }),
  });
  if (made) go(link(`/restores/${made.id}`));
}

/** Several snapshots at once, with what will happen said first. */

import { ask } from "../lib/api.js";
import { open } from "../lib/dialog.js";
import { field } from "../lib/fields.js";
import { fill, h } from "../lib/dom.js";
import { gib, plural } from "../lib/format.js";
import { identifier } from "../lib/ids.js";
import { mark } from "../lib/marks.js";
import { curlButton } from "../lib/parts.js";
import { toast } from "../lib/toast.js";

/** What is asked for in a dry run and then in earnest. @param {any[]} snapshots @param {Record<string, any>} what */
const request = (snapshots, what) => ({
  snapshot_ids: snapshots.map((each) => each.id),
  ...what,
});

/** @param {any[]} snapshots @param {"hold" | "delete"} deed @param {() => void} done */
export async function bulk(snapshots, deed, done) {
  const outcome = h("div", { class: "stack" });
  const reason = h("input", { maxlength: 500 });
  const typed = h("input", { autocomplete: "off", inputmode: "numeric" });
  const total = snapshots.reduce((sum, each) => sum + each.size_gib, 0);
  const what = () =>
    deed === "hold"
      ? {
          action: "hold",
          hold: { type: "never", reason: reason.value || null },
        }
      : { action: "delete", grace_minutes: 60 };
  dry().catch((error) => fill(outcome, h("div", { class: "warning" }, mark("warn"), h("p", null, String(error.message)))));

  async function dry() {
    const plan = await ask("POST", "/v1/snapshots:batch?preview=true", {
      body: request(snapshots, what()),
    });
    const { items } = plan;
    fill(
      outcome,
      h(
        "table",
        { class: "list" },
        h("caption", { class: "unseen" }, "What will happen"),
        h(
          "tbody",
          null,
          items.map((/** @type {any} */ item) => {
            const snapshot = snapshots.find((each) => each.id === item.snapshot_id);
            const refusal = item.problem?.detail ?? (item.outcome === "unchanged" ? "is like that already" : null);
            return h(
              "tr",
              null,
              h("th", { scope: "row", "data-label": "Snapshot" }, h("bdi", null, snapshot?.name ?? ""), " ", identifier(snapshot?.id ?? "")),
              h("td", { "data-label": "What happens" }, refusal ?? (deed === "hold" ? "will be held" : "goes in an hour")),
            );
          }),
        ),
      ),
    );
  }

  const answer = await open({
    title: deed === "hold" ? `Hold ${plural(snapshots.length, "snapshot")}` : `Delete ${plural(snapshots.length, "snapshot")}`,
    tone: deed === "delete" ? "danger" : "primary",
    act: deed === "hold" ? "Hold them" : "Delete them",
    acting: deed === "hold" ? "Holding…" : "Deleting…",
    wide: true,
    body: [
      deed === "delete" &&
        h(
          "div",
          { class: "warning bad" },
          mark("warn"),
          h("div", null, h("strong", null, "This cannot be undone"), h("p", null, "once an hour is over. Until then each can be rescued.")),
        ),
      h("p", null, `${plural(snapshots.length, "snapshot")}, volumes of ${gib(total)} together.`),
      outcome,
      field("Why", reason),
      deed === "delete" && field(`Type ${snapshots.length} to confirm`, typed),
    ],
    extra: curlButton("POST", "/v1/snapshots:batch", () => request(snapshots, what())),
    ready: () => deed === "hold" || typed.value.trim() === String(snapshots.length),
    run: () =>
      ask("POST", "/v1/snapshots:batch", {
        body: request(snapshots, what()),
        reason: reason.value,
      }),
  });
  if (!answer) return;
  done();
  if (deed === "delete")
    toast(`${plural(snapshots.length, "snapshot")} go in an hour.`, {
      action: "Undo",
      act: () => undo(snapshots),
    });
  else toast(`${plural(snapshots.length, "snapshot")} are held.`);
}

/** @param {any[]} snapshots */
async function undo(snapshots) {
  try {
    await ask("POST", "/v1/snapshots:batch", {
      body: request(snapshots, { action: "rescue" }),
    });
    toast("They are rescued and stay.");
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), {
      tone: "bad",
      seconds: 12,
    });
  }
}

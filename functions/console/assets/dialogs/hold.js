/** Keeps a snapshot from deletion, or lets it go again. */

import { ask } from "../lib/api.js";
import { now } from "../lib/clock.js";
import { open } from "../lib/dialog.js";
import { choice, field } from "../lib/fields.js";
import { h } from "../lib/dom.js";
import { time } from "../lib/format.js";
import { identifier } from "../lib/ids.js";
import { curlButton, facts } from "../lib/parts.js";
import { toast } from "../lib/toast.js";

/** A day from now as an input wants it. @param {number} days */
export const dayAhead = (days) => new Date(now() + days * 86_400_000).toISOString().slice(0, 10);

/** @param {any} snapshot */
export async function holdSnapshot(snapshot) {
  const given = snapshot.hold;
  let type = given?.type ?? "never";
  const until = h("input", {
    type: "date",
    min: dayAhead(1),
    value: (given?.until ?? dayAhead(30)).slice(0, 10),
  });
  const review = h("input", {
    type: "date",
    min: dayAhead(1),
    value: given?.review_at?.slice(0, 10) ?? "",
  });
  const reason = h("input", { maxlength: 1000, value: given?.reason ?? "" });
  const untilField = field("Until the end of", until);
  untilField.hidden = type !== "until";
  const body = () => ({
    hold: {
      type,
      until: type === "until" ? `${until.value}T23:59:59Z` : null,
      reason: reason.value || null,
      review_at: review.value ? `${review.value}T08:00:00Z` : null,
    },
  });
  const done = await open({
    title: given ? "Change the hold" : "Hold this snapshot",
    act: "Hold",
    acting: "Holding…",
    body: [
      facts([
        ["Snapshot", h("bdi", null, snapshot.name)],
        ["Id", identifier(snapshot.id)],
        ["Created", time(snapshot.created_at, "both")],
      ]),
      choice(
        "For how long",
        [
          ["never", "Rules never delete it", "A person still can, by its name."],
          ["until", "Nobody deletes it until a day", "Not even an admin."],
        ],
        type,
        (value) => {
          type = value;
          untilField.hidden = value !== "until";
        },
      ),
      untilField,
      field("Why", reason, "Whoever finds the hold in a year reads this."),
      field("Look at it again on", review, "Nothing happens by itself then; it appears among the things to do."),
    ],
    extra: curlButton("PATCH", `/v1/snapshots/${snapshot.id}`, body),
    run: () =>
      ask("PATCH", `/v1/snapshots/${snapshot.id}`, {
        body: body(),
        ifMatch: snapshot.version,
      }),
  });
  if (done)
    toast(`${snapshot.name} is held.`, {
      action: "Undo",
      act: () => release(done, given ?? null),
    });
}

/** Takes the hold off, or puts the one before back. @param {any} snapshot @param {any} [hold] */
export async function release(snapshot, hold = null) {
  const before = snapshot.hold;
  try {
    const body = {
      hold: hold && {
        type: hold.type,
        until: hold.until,
        reason: hold.reason,
        review_at: hold.review_at,
      },
    };
    const after = await ask("PATCH", `/v1/snapshots/${snapshot.id}`, { body });
    if (!hold)
      toast(`${snapshot.name} is held no more.`, {
        action: "Undo",
        act: () => release(after, before),
      });
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), {
      tone: "bad",
      seconds: 12,
    });
  }
}

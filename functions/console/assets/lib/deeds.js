/** What can be done with a snapshot, as buttons. */

import { h } from "./dom.js";
import { button } from "./parts.js";

/** @param {any} snapshot */
export const restoreButton = (snapshot, tone = "") =>
  button("Restore", async () => (await import("../dialogs/restore.js")).restoreSnapshot(snapshot), {
    needs: "operator",
    tone,
    disabled: !snapshot.restorable && why(snapshot),
    label: `Restore ${snapshot.name}`,
  });

/** @param {any} snapshot */
export const deleteButton = (snapshot) =>
  button("Delete", async () => (await import("../dialogs/delete.js")).deleteSnapshot(snapshot), {
    needs: "admin",
    tone: "danger",
    disabled: ["deleted", "deleting"].includes(snapshot.status) && "It is gone, or going.",
    label: `Delete ${snapshot.name}`,
  });

/** @param {any} snapshot */
export const rescueButton = (snapshot) =>
  button("Rescue", async () => (await import("../dialogs/rescue.js")).rescue(snapshot), {
    needs: "operator",
    tone: "primary",
    label: `Rescue ${snapshot.name}`,
  });

/** @param {any} snapshot */
export function holdButton(snapshot) {
  const held = snapshot.hold;
  return button(
    held ? "Release the hold" : "Hold",
    async () => {
      const { holdSnapshot, release } = await import("../dialogs/hold.js");
      return held ? release(snapshot) : holdSnapshot(snapshot);
    },
    {
      needs: held ? "admin" : "operator",
      label: `${held ? "Release the hold of" : "Hold"} ${snapshot.name}`,
    },
  );
}

/** The two or three that belong in a row. @param {any} snapshot */
export function rowDeeds(snapshot) {
  if (snapshot.status === "condemned") return [rescueButton(snapshot), deleteButton(snapshot)];
  if (snapshot.status === "deleted") return [];
  return [restoreButton(snapshot), deleteButton(snapshot)];
}

/** All of them. @param {any} snapshot */
export function allDeeds(snapshot) {
  const gone = snapshot.status === "deleted";
  return h(
    "div",
    { class: "row" },
    snapshot.status === "condemned" && rescueButton(snapshot),
    !gone && restoreButton(snapshot, "primary"),
    !gone && holdButton(snapshot),
    !gone && button("Edit", async () => (await import("../dialogs/edit.js")).editSnapshot(snapshot), { needs: "operator" }),
    snapshot.status === "available" && button("Drill", async () => (await import("../dialogs/restore.js")).drill(snapshot), { needs: "operator" }),
    snapshot.status === "available" &&
      button("Register an image", async () => (await import("../dialogs/image.js")).registerImage(snapshot), { needs: "operator" }),
    ["missing", "error"].includes(snapshot.status) &&
      button("Remove the record", async () => (await import("../dialogs/delete.js")).removeRecord(snapshot), { needs: "admin" }),
    !gone && deleteButton(snapshot),
  );
}

/** @param {any} snapshot */
function why(snapshot) {
  if (snapshot.status !== "available" && snapshot.status !== "condemned") return `It is ${snapshot.status}: only what is available can be restored.`;
  return "It cannot be restored as it is.";
}

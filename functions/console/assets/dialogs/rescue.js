/** Undoes a condemnation, as long as there is a grace. */

import { ask } from "../lib/api.js";
import { refreshShown } from "../lib/store.js";
import { toast } from "../lib/toast.js";

/** @param {any} snapshot */
export async function rescue(snapshot) {
  try {
    await ask("POST", `/v1/snapshots/${snapshot.id}/rescue`);
    toast(`${snapshot.name} is rescued and stays.`);
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error), {
      tone: "bad",
      seconds: 12,
    });
  }
  refreshShown();
}

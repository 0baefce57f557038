/** The river with its scrubber, for a schedule as it is or as it is being edited. */

import { ask } from "../lib/api.js";
import { fill, h } from "../lib/dom.js";
import { capital, money, plural, spelt } from "../lib/format.js";
import { picture, room } from "../lib/head.js";
import { skeleton, trouble } from "../lib/parts.js";
import { river } from "../pictures/river.js";

/** How far the river is followed, and on which days its dots are drawn. */
const DAYS = 365;
const EVERY = 4;

/**
 * @param {import("../lib/page.js").Page} page @param {() => Record<string, any>} wanted what of the simulation's request says the schedule
 * @param {{lost?: () => {date: string}[], share?: number, told?: boolean}} [options] `told`: with the rules in words
 */
export function riverOf(page, wanted, { lost = () => [], share = 1, told = true } = {}) {
  const element = h("div", { class: "stack" }, skeleton(5));
  let turn = 0;

  async function load() {
    const mine = (turn += 1);
    try {
      const result = await ask("POST", "/v1/retention/simulate", {
        body: { days: DAYS, survivors_every_days: EVERY, ...wanted() },
      });
      if (mine === turn) show(result);
    } catch (error) {
      if (mine === turn) fill(element, trouble(error));
    }
  }

  /** @param {any} result */
  function show(result) {
    const { days, totals, price } = result;
    let at = Math.min(30, days.length - 1);
    const said = h("output", { for: "scrubber" });
    const drawing = picture(page, () => river(days, { width: room(share), at, lost: lost() }));
    const tell = () => {
      const day = days[at];
      fill(
        said,
        h("strong", null, dayOf(day.date)),
        `: ${plural(day.snapshots, "snapshot")} of an instance`,
        day.oldest && `, the oldest of ${dayOf(day.oldest)}`,
        day.missed?.length > 0 && `; ${day.missed.length} local times are skipped by the clock change`,
      );
    };
    const slider = h("input", {
      type: "range",
      id: "scrubber",
      min: 0,
      max: days.length - 1,
      value: at,
      "aria-label": "Day",
      oninput: (/** @type {any} */ event) => {
        at = Number(event.target.value);
        drawing.again();
        tell();
      },
    });
    tell();
    fill(
      element,
      told && h("p", null, capital(spelt(result.description))),
      drawing.element,
      h("div", { class: "scrubber" }, slider, said),
      h(
        "p",
        { class: "note" },
        `At most ${plural(totals.snapshots_max, "snapshot")} of an instance at once; ${plural(totals.fires, "slot")} in the year, ${totals.missed} skipped. Estimated ${money(totals.cost_estimate, price.currency)} for an instance in the year, by the price of ${price.as_of}.`,
      ),
    );
  }

  load();
  return Object.assign(element, { again: load });
}

/** @param {string} date */
const dayOf = (date) => new Date(`${date.slice(0, 10)}T12:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });

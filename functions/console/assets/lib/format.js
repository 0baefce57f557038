/** Numbers, sizes, times and states in words. */

import { now } from "./clock.js";
import { h } from "./dom.js";

const whole = new Intl.NumberFormat("en");
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** @param {number} value */
export const count = (value) => whole.format(value);

/** @param {number | null | undefined} value */
export function gib(value) {
  if (value === null || value === undefined) return "unknown";
  if (value >= 10_240) return `${tenth.format(value / 1024)} TiB`;
  return `${(value >= 1_000 ? whole : tenth).format(value >= 1_000 ? Math.round(value) : value)} GiB`;
}

/** @param {number | null | undefined} value */
export function bytes(value) {
  return value === null || value === undefined ? "not measured" : gib(value / 2 ** 30);
}

/** @param {number} value @param {string} [currency] */
export function money(value, currency = "USD") {
  return new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    maximumFractionDigits: value < 10 ? 2 : 0,
  }).format(value);
}

/** @param {number} number @param {string} one @param {string} [many] */
export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** A span in the two units that matter. @param {number} seconds */
export function span(seconds) {
  const size = Math.abs(Math.round(seconds));
  if (size < 60) return `${size} s`;
  if (size < 3600) return `${Math.round(size / 60)} min`;
  if (size < 36 * 3600) {
    const minutes = Math.round((size % 3600) / 60);
    return size < 6 * 3600 && minutes ? `${Math.floor(size / 3600)} h ${minutes} min` : `${Math.round(size / 3600)} h`;
  }
  const days = Math.round(size / 86_400);
  if (days < 100) return plural(days, "day");
  return days < 700 ? plural(Math.round(days / 30.4), "month") : plural(Math.round(days / 365), "year");
}

/** "in 3 h", "2 days ago". @param {string | number} instant */
export function relative(instant) {
  const seconds = (new Date(instant).getTime() - now()) / 1000;
  if (Math.abs(seconds) < 30) return "now";
  return seconds > 0 ? `in ${span(seconds)}` : `${span(seconds)} ago`;
}

/** @param {string | number} instant */
export function local(instant) {
  return new Date(instant).toLocaleString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** Short, without the year where it is this one. @param {string | number} instant */
export function brief(instant) {
  const date = new Date(instant);
  const same = date.getFullYear() === new Date(now()).getFullYear();
  return date.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: same ? undefined : "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** @param {string | number} instant */
export const utc = (instant) => `${new Date(instant).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/**
 * A time: what suits at a glance, all of it on focus and hover.
 * @param {string | null | undefined} instant @param {"brief" | "relative" | "both"} [form]
 */
export function time(instant, form = "brief") {
  if (!instant) return h("span", { class: "faint" }, "–");
  const text = {
    brief,
    relative,
    both: (/** @type {string} */ at) => `${brief(at)} (${relative(at)})`,
  }[form](instant);
  const all = `${local(instant)} here, ${utc(instant)}, ${relative(instant)}`;
  return h(
    "time",
    {
      datetime: instant,
      "data-form": form,
      "data-tip": all,
      "aria-label": `${text}: ${all}`,
      role: "img",
    },
    text,
  );
}

/** A time above how long ago that is: what a column of times has. @param {string} instant */
export const stamp = (instant) => [time(instant), h("div", { class: "note" }, time(instant, "relative"))];

/** Keeps "3 min ago" true. @param {ParentNode} root */
export function refreshTimes(root) {
  for (const each of root.querySelectorAll("time[data-form=relative]")) {
    const text = relative(each.getAttribute("datetime") ?? "");
    if (each.textContent !== text) each.textContent = text;
  }
}

/** @param {string} word */
export const words = (word) => word.replaceAll("_", " ").replaceAll(".", " ");

/** A text of the API as a person reads it here: local times, ids cut to what tells them apart. @param {string} text */
export const humane = (text) => shortened(text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z/g, (instant) => brief(instant)));

/** Long ids cut to what tells them apart. @param {string} text */
export const shortened = (text) => text.replace(/\b((?:snp|sch|rst|swp|img)_)[0-9a-f-]{30}([0-9a-f]{6})\b/g, "$1…$2");

/** @param {string} text */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Spans as the rules write them, spelt out: "48h", "21d", "4w". @param {string} text */
export const spelt = (text) =>
  text.replace(/(^|\s)(\d+)([hdw])\b/g, (_, before, number, unit) => {
    const word = { h: "hour", d: "day", w: "week" }[/** @type {"h" | "d" | "w"} */ (unit)];
    return before + plural(Number(number), word);
  });

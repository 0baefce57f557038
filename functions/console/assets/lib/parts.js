/** Small pieces that every page is made of. */

import { Problem, curl } from "./api.js";
import { h, s } from "./dom.js";
import { nameOf } from "./names.js";
import { words } from "./format.js";
import { link } from "./router.js";
import { session } from "./session.js";
import { toast } from "./toast.js";

/** How a state is told apart: a shape beside the word, so that colour is never alone. */
const TONES = /** @type {Record<string, string>} */ ({
  available: "good",
  ok: "good",
  done: "good",
  completed: "good",
  executing: "busy",
  here: "good",
  enabled: "good",
  met: "good",
  requested: "busy",
  creating: "busy",
  pending: "busy",
  running: "busy",
  deleting: "busy",
  dispatching: "busy",
  cancelling: "busy",
  registering: "busy",
  deregistering: "busy",
  approved: "busy",
  waiting: "busy",
  planned: "calm",
  condemned: "warn",
  late: "warn",
  missing: "bad",
  needs_approval: "warn",
  partly_failed: "warn",
  blocked: "warn",
  orphaned: "warn",
  error: "bad",
  failed: "bad",
  missed: "bad",
  refused: "bad",
  damaged: "bad",
  unprotected: "bad",
});

const SHAPES = /** @type {Record<string, string>} */ ({
  good: "M3 8.5 6.5 12 13 4.5",
  busy: "M8 2a6 6 0 1 1-6 6",
  warn: "M8 2 15 14 1 14Z M8 6.5v3.5 M8 12v.6",
  bad: "M4 4l8 8 M12 4l-8 8",
  calm: "M3 8h10",
});

/** @param {string} tone */
export function mark(tone) {
  return s("svg", { class: `mark ${tone}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: SHAPES[tone] ?? SHAPES.calm }));
}

/** @param {string | null | undefined} status @param {string} [text] */
export function badge(status, text) {
  const tone = TONES[status ?? ""] ?? "calm";
  return h("span", { class: `badge ${tone}` }, mark(tone), text ?? words(status ?? "unknown"));
}

/** A name, then the id, never the id alone. @param {string | null | undefined} name @param {string} id @param {string} [href] */
export function named(name, id, href) {
  const shown = name || "no name";
  return h(
    "span",
    { class: "named" },
    href ? h("a", { href, class: "name", dir: "auto" }, shown) : h("bdi", { class: "name" }, shown),
    identifier(id),
  );
}

/** An id that a click copies. @param {string} id */
export function identifier(id) {
  const short = /^(snp|sch|rst|swp|img)_/.test(id) ? `${id.slice(0, 4)}…${id.slice(-6)}` : id;
  return h(
    "button",
    {
      type: "button",
      class: "id",
      "data-tip": `Copy ${id}`,
      "aria-label": `Copy ${id}`,
      onclick: () => copy(id),
    },
    short,
  );
}

/** @param {string} text @param {string} [what] */
export async function copy(text, what = text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied: ${what}`);
  } catch {
    toast("The browser does not let this page copy.", { tone: "bad" });
  }
}

/** @param {string} id @param {string | null | undefined} [name] */
export const instanceLink = (id, name) => known(id, name, link(`/instances/${id}`));
/** @param {string} id @param {string | null | undefined} [name] */
export const snapshotLink = (id, name) => named(name, id, link(`/snapshots/${id}`));
/** @param {string} id @param {string | null | undefined} [name] */
export const scheduleLink = (id, name) => known(id, name, link(`/schedules/${id}`));

/** What has a name that may be learnt later. @param {string} id @param {string | null | undefined} name @param {string} href */
function known(id, name, href) {
  const shown = name ?? nameOf(id);
  return h("span", { class: "named" }, h("a", { href, class: "name", dir: "auto", "data-name-of": id }, shown ?? "no name"), identifier(id));
}

/**
 * A button; where the role does not suffice it says which one would.
 * @param {string} text @param {(event: Event) => void} onclick
 * @param {{tone?: string, needs?: import("./session.js").Role, disabled?: string | false, id?: string, label?: string}} [options]
 */
export function button(text, onclick, options = {}) {
  const lacking = options.needs && !session.may(options.needs) ? `Needs the role ${options.needs}; you are ${session.role}.` : "";
  const why = lacking || options.disabled || "";
  const element = h(
    "button",
    {
      type: "button",
      class: `button ${options.tone ?? ""}`,
      id: options.id,
      "aria-label": options.label,
      "aria-disabled": why ? "true" : null,
      "data-tip": why || null,
      "aria-description": why || null,
      onclick: (/** @type {Event} */ event) => (why ? toast(why) : onclick(event)),
    },
    text,
  );
  return element;
}

/** @param {string} method @param {string | (() => string)} path @param {any} [body] */
export function curlButton(method, path, body) {
  const value = (/** @type {any} */ of) => (typeof of === "function" ? of() : of);
  return h(
    "button",
    {
      type: "button",
      class: "button quiet",
      onclick: () => copy(curl(method, value(path), value(body)), "the curl command"),
    },
    "Copy as curl",
  );
}

/** What went wrong, in words, beside what failed. @param {any} error @param {() => void} [again] */
export function trouble(error, again) {
  const problem = error instanceof Problem ? error : null;
  return h(
    "div",
    { class: "trouble", role: "alert" },
    mark("bad"),
    h(
      "div",
      null,
      h("strong", null, problem?.title ?? "Something went wrong"),
      h("p", null, String(error?.message ?? error)),
      problem?.neededRole && h("p", null, `It needs the role ${problem.neededRole}.`),
      problem?.awsAction && h("p", null, `AWS does not allow ${problem.awsAction}.`),
      h(
        "div",
        { class: "row" },
        problem?.requestId &&
          h(
            "button",
            {
              type: "button",
              class: "id",
              onclick: () => copy(problem.requestId),
            },
            `Request ${problem.requestId}`,
          ),
        again && h("button", { type: "button", class: "button quiet", onclick: again }, "Try again"),
      ),
    ),
  );
}

/** @param {string} title @param {import("./dom.js").Child[]} rest */
export function empty(title, ...rest) {
  return h("div", { class: "empty" }, h("strong", null, title), ...rest.map((each) => (typeof each === "string" ? h("p", null, each) : each)));
}

export const skeleton = (lines = 4) =>
  h(
    "div",
    { class: "skeleton", "aria-busy": "true", "aria-label": "Loading" },
    Array.from({ length: lines }, () => h("span")),
  );

/**
 * A titled part of a page.
 * @param {string} title @param {{note?: import("./dom.js").Child, tools?: import("./dom.js").Child, id?: string}} options
 * @param {import("./dom.js").Child[]} content
 */
export function section(title, options, ...content) {
  return h(
    "section",
    { class: "section", id: options.id },
    h("header", null, h("h2", null, title), options.tools && h("div", { class: "row" }, options.tools)),
    options.note && h("p", { class: "note" }, options.note),
    content,
  );
}

/** Names and values. @param {(readonly [string, import("./dom.js").Child] | null | false | undefined)[]} pairs */
export function facts(pairs) {
  return h(
    "dl",
    { class: "facts" },
    pairs.map((pair) => pair && h("div", null, h("dt", null, pair[0]), h("dd", null, pair[1] ?? "–"))),
  );
}

/** @param {Record<string, string>} tags */
export function tagList(tags) {
  const entries = Object.entries(tags ?? {});
  if (!entries.length) return h("span", { class: "faint" }, "none");
  return h(
    "span",
    { class: "tags" },
    entries.map(([key, value]) => h("span", { class: "tag" }, h("bdi", null, `${key}: ${value}`))),
  );
}

/** One number with what it says. @param {string} label @param {import("./dom.js").Child} value @param {import("./dom.js").Child} [note] */
export function figure(label, value, note) {
  return h(
    "div",
    { class: "figure" },
    h("span", { class: "label" }, label),
    h("span", { class: "value" }, value),
    note && h("span", { class: "note" }, note),
  );
}

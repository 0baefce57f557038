/** Small pieces that every page is made of. */

import { Problem, curl } from "./api.js";
import { h } from "./dom.js";
import { copy } from "./ids.js";
import { mark } from "./marks.js";
import { said } from "./said.js";
import { session } from "./session.js";
import { toast } from "./toast.js";

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
      class: "button quiet curl",
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
      h("p", null, said(String(error?.message ?? error))),
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
    { class: "skeleton", role: "status", "aria-label": "Loading" },
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

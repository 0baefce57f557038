/** States told apart by shape, word and colour. */

import { h, s } from "./dom.js";
import { words } from "./format.js";

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
  const tone = TONES[status ?? ""] ?? (status && status in SHAPES ? status : "calm");
  return h("span", { class: `badge ${tone}` }, mark(tone), text ?? words(status ?? "unknown"));
}

/** What the API says to whoever calls it, in the words of this page: the names of its buttons and boxes. */

import { words } from "./format.js";

export const STOP = "Stop the instance for it, if it runs";
export const LEAVE = "Leave everything as it is now, and end the restore";

/** @param {string} name what the API wants accepted */
export const acceptance = (name) => `I accept: ${words(name.replace("accept_", ""))}`;

/** @type {[RegExp, (...parts: string[]) => string][]} */
const SAID = [
  [/POST \/v1\/restores\/\S+\/cancel/g, () => "“Go back”"],
  [/POST \/v1\/restores\/\S+\/retry/g, () => "“Try again”"],
  [/with \{"leave": true\}/g, () => `by “Go back” with “${LEAVE}”`],
  [/with "leave": true/g, () => `with “${LEAVE}”`],
  [/send stop: true/g, () => `tick “${STOP}”`],
  [/volume_initialization_rate/g, () => "an initialization rate"],
  [/stop: true/g, () => `“${STOP}”`],
  [/(?:send|add) "?(accept_[a-z_]+)"?: true/g, (_, name) => `tick “${acceptance(name)}”`],
];

/** @param {string} text */
export const said = (text) => SAID.reduce((sofar, [form, here]) => sofar.replace(form, here), text);

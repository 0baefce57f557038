/** The server's time. A page's own clock may be wrong, and a local run's time may pass faster. */

let offset = 0;
let speed = 1;
let at = Date.now();
/** @type {Set<() => void>} */
const listeners = new Set();

/** Learns the time from an answer. @param {Headers} headers */
export function heard(headers) {
  const told = headers.get("x-snapkeep-now") ?? headers.get("date");
  const time = told ? Date.parse(told) : NaN;
  if (Number.isNaN(time)) return;
  speed = Number(headers.get("x-snapkeep-speed") ?? "1") || 1;
  at = Date.now();
  offset = time - at;
}

/** Now, in milliseconds. */
export function now() {
  const real = Date.now();
  return real + offset + (real - at) * (speed - 1);
}

/** How much faster than real time it passes. */
export function timeLapse() {
  return speed;
}

/** Calls back every fifteen seconds while the page is seen, for what says "3 minutes ago". @param {() => void} listener */
export function eachTick(listener) {
  listeners.add(listener);
}

setInterval(() => {
  if (!document.hidden) for (const listener of listeners) listener();
}, 15_000);

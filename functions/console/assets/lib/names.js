/** What instances and schedules are called, learnt from every answer, so that no id stands alone. */

/** @type {Map<string, string>} */
const names = new Map();
/** @type {((path: string) => void) | null} */
let fetcher = null;
/** @type {Set<string>} */
const asked = new Set();

/** @param {string} id */
export function nameOf(id) {
  const name = names.get(id);
  if (name === undefined) want(id.startsWith("i-") ? "/v1/instances?limit=200" : "/v1/schedules?limit=200");
  return name;
}

/** Who fetches lists of names; the store, which cannot be imported from here. @param {(path: string) => void} fetch */
export function fetchBy(fetch) {
  fetcher = fetch;
}

/** @param {string} path */
function want(path) {
  if (asked.has(path)) return;
  asked.add(path);
  setTimeout(() => fetcher?.(path), 0);
}

/** Takes up what an answer calls things. @param {any} value */
export function learn(value) {
  if (Array.isArray(value)) {
    for (const each of value) learn(each);
    return;
  }
  if (value === null || typeof value !== "object") return;
  tell(value.instance_id, value.instance_name);
  tell(value.schedule_id, value.schedule_name);
  if (typeof value.id === "string" && /^(i-|sch_)/.test(value.id)) tell(value.id, value.name);
  for (const part of Object.values(value)) if (part !== null && typeof part === "object") learn(part);
}

/** @param {any} id @param {any} name */
function tell(id, name) {
  if (typeof id !== "string" || typeof name !== "string" || !name || names.get(id) === name) return;
  names.set(id, name);
  for (const element of document.querySelectorAll(`[data-name-of="${CSS.escape(id)}"]`)) element.textContent = name;
}

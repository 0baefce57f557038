/** Places: `#/snapshots?status=error`. Every view, filter and open drawer is one. */

/** @typedef {{path: string, parts: string[], query: Record<string, string>}} Place */

/** @returns {Place} */
export function place() {
  const [path, text] = (location.hash.replace(/^#/, "") || "/").split("?");
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  return {
    path,
    parts,
    query: Object.fromEntries(new URLSearchParams(text ?? "")),
  };
}

/** @param {string} path @param {Record<string, any>} [query] */
export function link(path, query = {}) {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  return `#${path}${text ? `?${text}` : ""}`;
}

/** @param {string} hash */
export function go(hash) {
  location.hash = hash;
}

/**
 * Changes what is asked for at this place, without a step to go back through unless told so.
 * @param {Record<string, any>} changes @param {{step?: boolean}} [options]
 */
export function setQuery(changes, options = {}) {
  const { path, query } = place();
  const hash = link(path, { ...query, ...changes });
  if (options.step) {
    location.hash = hash;
    return;
  }
  history.replaceState(null, "", hash);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

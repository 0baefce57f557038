/** A part of a page that shows one answer, with its loading and its errors. */

import { fill, h } from "./dom.js";
import { skeleton, trouble } from "./parts.js";
import { resource } from "./store.js";

/**
 * @param {import("./page.js").Page} page @param {string} path @param {(data: any) => import("./dom.js").Child} show
 * @param {{lines?: number, missing?: (error: any) => Node}} [options]
 */
export function follow(page, path, show, options = {}) {
  const element = h("div", { class: "followed" });
  page.use(path, ({ data, error, loading }) => {
    if (data !== undefined) {
      fill(element, error && error.status !== 404 && trouble(error, () => resource(path).refresh()), show(data));
    } else if (error) {
      fill(element, error.status === 404 && options.missing ? options.missing(error) : trouble(error, () => resource(path).refresh()));
    } else if (loading) {
      fill(element, skeleton(options.lines));
    }
  });
  return element;
}

/**
 * The same with several answers, shown once all of them are there.
 * @param {import("./page.js").Page} page @param {string[]} paths @param {(...them: any[]) => import("./dom.js").Child} show
 * @param {{lines?: number}} [options]
 */
export function followAll(page, paths, show, options = {}) {
  const element = h("div", { class: "followed" }, skeleton(options.lines));
  /** @type {any[]} */
  const states = paths.map(() => ({}));
  paths.forEach((path, at) =>
    page.use(path, (state) => {
      states[at] = state;
      const failed = states.find((each) => each.error && each.data === undefined);
      if (states.every((each) => each.data !== undefined)) fill(element, show(...states.map((each) => each.data)));
      else if (failed) fill(element, trouble(failed.error));
    }),
  );
  return element;
}

/** How a page begins: where it is, what it is called, what can be done. */

import { h } from "./dom.js";

/** @param {import("./dom.js").Child} title @param {{up?: [string, string], note?: import("./dom.js").Child, tools?: import("./dom.js").Child, beside?: import("./dom.js").Child}} [options] */
export function head(title, options = {}) {
  return h(
    "header",
    null,
    h(
      "div",
      { class: "title" },
      options.up && h("a", { class: "crumbs", href: options.up[1] }, `← ${options.up[0]}`),
      h("div", { class: "row" }, h("h1", { dir: "auto" }, title), options.beside),
      options.note && h("p", { class: "note" }, options.note),
    ),
    options.tools && h("div", { class: "row" }, options.tools),
  );
}

/** The room that a picture has. @param {number} [share] of the page's width @param {number} [off] pixels that are not for it */
export function room(share = 1, off = 0) {
  const main = document.getElementById("content");
  const style = main && getComputedStyle(main);
  const inner = main && style ? main.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) : innerWidth;
  return Math.max(280, Math.floor((inner - (share < 1 && inner >= 1000 ? 20 : 0)) * (inner >= 1000 ? share : 1) - 34 - off));
}

/** Draws a picture, and again when its room changes. @param {import("./page.js").Page} page @param {() => Node} draw */
export function picture(page, draw) {
  const element = h("div", {
    class: "picture",
    tabindex: "0",
    role: "region",
    "aria-label": "Picture",
  });
  const again = () => element.replaceChildren(draw());
  let width = innerWidth;
  const resized = () => {
    if (innerWidth === width) return;
    width = innerWidth;
    again();
  };
  addEventListener("resize", resized);
  page.onEnd(() => removeEventListener("resize", resized));
  again();
  return { element, again };
}

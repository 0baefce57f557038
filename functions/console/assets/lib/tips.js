/** One tip for whatever has `data-tip`, on hover and on focus. */

import { h } from "./dom.js";

const tip = h("div", {
  class: "tip",
  role: "tooltip",
  popover: "manual",
  id: "tip",
});

/** @param {EventTarget | null} target */
const holder = (target) => (target instanceof Element ? target.closest("[data-tip]") : null);

/** @param {Event} event */
function show(event) {
  const element = holder(event.target);
  if (!element) {
    hide();
    return;
  }
  tip.textContent = element.getAttribute("data-tip");
  if (!tip.isConnected) document.body.append(tip);
  if (!tip.matches(":popover-open")) tip.showPopover();
  const box = element.getBoundingClientRect();
  const own = tip.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left + box.width / 2 - own.width / 2, innerWidth - own.width - 8));
  const above = box.top - own.height - 8;
  tip.style.setProperty("left", `${left}px`);
  tip.style.setProperty("top", `${above > 8 ? above : box.bottom + 8}px`);
}

function hide() {
  if (tip.matches(":popover-open")) tip.hidePopover();
}

addEventListener("pointerover", show);
addEventListener("focusin", show);
addEventListener("focusout", hide);
addEventListener("scroll", hide, true);
addEventListener("hashchange", hide);
addEventListener("keydown", (event) => event.key === "Escape" && hide());

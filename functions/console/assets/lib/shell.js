/** The frame around every page: navigation, who sits here, what stands behind it. */

import { now, timeLapse, eachTick } from "./clock.js";
import { fill, h, s } from "./dom.js";
import { brief } from "./format.js";
import { openPalette } from "./palette.js";
import { button } from "./parts.js";
import { session } from "./session.js";
import { signOut } from "./sign-in.js";
import { refreshShown, resource } from "./store.js";

/** @type {[string, string, string][]} */
const NAVIGATION = [
  ["", "Overview", "M2 3h5v5H2z M9 3h5v3H9z M9 8h5v5H9z M2 10h5v3H2z"],
  ["snapshots", "Snapshots", "M3 13V4 M6.3 13V7 M9.6 13V3 M13 13V9"],
  ["instances", "Instances", "M2 3h12v4H2z M2 9h12v4H2z M5 5h.1 M5 11h.1"],
  ["schedules", "Schedules", "M8 2a6 6 0 1 0 .01 0 M8 5v3l2 2"],
  ["sweeps", "Sweeps", "M3 4h10 M5 4v9h6V4 M6.5 2h3 M7 7v3 M9 7v3"],
  ["restores", "Restores", "M3 8a5 5 0 1 1 2 4 M3 4v4h4"],
  ["images", "Images", "M2 3h12v10H2z M2 11l4-4 3 3 2-2 3 3 M11 5.5h.1"],
  ["account", "Account", "M2 4h12v9H2z M2 7h12 M6 7v6"],
  ["money", "Money", "M2 13l4-5 3 3 5-7"],
  ["audit", "Audit", "M4 2h8v12H4z M6 5h4 M6 8h4 M6 11h2"],
  ["settings", "Settings", "M3 5h10 M3 11h10 M6 3v4 M10 9v4"],
];

export function shell() {
  const content = h("main", { id: "content", tabindex: "-1" });
  /** @type {Map<string, HTMLElement>} */
  const links = new Map();
  const items = NAVIGATION.map(([key, name, path]) => {
    const anchor = h(
      "a",
      { href: `#/${key}` },
      s("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, s("path", { d: path })),
      h("span", null, name),
    );
    links.set(key, anchor);
    return h("li", null, anchor);
  });
  const refresh = h(
    "button",
    {
      type: "button",
      class: "button quiet refresh",
      id: "refresh",
      "aria-label": "Refresh",
      onclick: async () => {
        refresh.classList.add("spins");
        await refreshShown();
        refresh.classList.remove("spins");
      },
    },
    h("span", { class: "turn", "aria-hidden": "true" }, "↻"),
    h("span", { class: "long" }, "Refresh"),
  );
  const clock = h("span", { class: "faint clock" });
  const tellTime = () =>
    fill(clock, `${brief(now())}, ${new Date(now()).toISOString().slice(11, 16)} UTC`, timeLapse() > 1 && `, ${timeLapse()} times faster`);
  eachTick(tellTime);
  resource("/v1/me").subscribe(tellTime);
  const element = h(
    "div",
    { class: "shell" },
    h(
      "header",
      { class: "top" },
      h(
        "a",
        { class: "brand", href: "#/", "aria-label": "Snapkeep" },
        h("span", { class: "logo", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
        h("span", { class: "long" }, "Snapkeep"),
      ),
      h("button", { type: "button", class: "search", onclick: openPalette }, h("span", null, "Find an id or a name"), h("kbd", null, "/")),
      clock,
      refresh,
      who(),
    ),
    session.kind === "demonstration" &&
      h(
        "p",
        { class: "banner", role: "note" },
        h("strong", null, "A demonstration."),
        " All of it is made up, and its time is its own. Nothing here touches AWS.",
      ),
    h("nav", { class: "navigation", "aria-label": "Pages" }, h("ul", null, items)),
    content,
  );
  return {
    element,
    /** @param {string} key */
    at(key) {
      for (const [name, anchor] of links) {
        if (name !== key) {
          anchor.removeAttribute("aria-current");
          continue;
        }
        anchor.setAttribute("aria-current", "page");
        // On a phone the navigation is a strip that is wider than the screen.
        const strip = anchor.closest("nav");
        if (strip) strip.scrollLeft = anchor.offsetLeft - (strip.clientWidth - anchor.offsetWidth) / 2;
      }
    },
    /** @param {Node} page */
    show(page) {
      fill(content, page);
      const title = content.querySelector("h1")?.textContent;
      document.title = title ? `${title} · Snapkeep` : "Snapkeep";
      scrollTo(0, 0);
    },
  };
}

function who() {
  if (session.kind === "deployed") {
    return h(
      "div",
      { class: "who" },
      h("span", null, h("bdi", null, session.who), h("span", { class: "faint" }, ` ${session.role}`)),
      session.signInUrl && button("Sign out", signOut, { tone: "quiet" }),
    );
  }
  return h(
    "label",
    { class: "who" },
    h("span", { class: "faint long" }, "Role"),
    h(
      "select",
      {
        id: "role",
        "aria-label": "Role",
        onchange: (/** @type {any} */ event) => session.lower(event.target.value),
      },
      session.roles().map((role) => h("option", { value: role, selected: role === session.role }, role)),
    ),
  );
}

/** The page begins here. */

import { ask } from "./lib/api.js";
import { eachTick } from "./lib/clock.js";
import { fill, h } from "./lib/dom.js";
import { refreshTimes } from "./lib/format.js";
import { Page } from "./lib/page.js";
import { trouble } from "./lib/parts.js";
import { place } from "./lib/router.js";
import { session } from "./lib/session.js";
import { finishSignIn } from "./lib/sign-in.js";
import { forgetAll } from "./lib/store.js";
import { shell } from "./lib/shell.js";
import "./lib/tips.js";
import "./lib/palette.js";

const app = /** @type {HTMLElement} */ (document.getElementById("app"));

/** The module of each page; loaded when it is wanted. @type {Record<string, () => Promise<{show: (page: Page) => Node | Promise<Node>}>>} */
const PAGES = {
  "": () => import("./pages/overview.js"),
  snapshots: () => import("./pages/snapshots.js"),
  "snapshots/:": () => import("./pages/snapshot.js"),
  instances: () => import("./pages/instances.js"),
  "instances/:": () => import("./pages/instance.js"),
  schedules: () => import("./pages/schedules.js"),
  runs: () => import("./pages/runs.js"),
  "schedules/:": () => import("./pages/schedule.js"),
  "schedules/:/:": () => import("./pages/editor.js"),
  sweeps: () => import("./pages/sweeps.js"),
  "sweeps/:": () => import("./pages/sweep.js"),
  restores: () => import("./pages/restores.js"),
  "restores/:": () => import("./pages/restore.js"),
  images: () => import("./pages/images.js"),
  "images/:": () => import("./pages/image.js"),
  account: () => import("./pages/account.js"),
  money: () => import("./pages/money.js"),
  audit: () => import("./pages/audit.js"),
  settings: () => import("./pages/settings.js"),
};

/** @type {Page | null} */
let shown = null;
/** The frame around pages; there is none before somebody has signed in. @type {ReturnType<typeof shell> | null} */
let frame = null;

async function route() {
  const around = frame;
  if (!around || !app.contains(around.element)) return;
  const here = place();
  if (shown && shown.place.path === here.path) {
    shown.moved(here);
    return;
  }
  shown?.leave();
  const page = new Page(here);
  shown = page;
  around.element.removeAttribute("data-place");
  const key = here.parts.map((part, at) => (at === 0 ? part : ":")).join("/");
  const load = PAGES[key];
  around.at(here.parts[0] === "runs" ? "schedules" : (here.parts[0] ?? ""));
  if (!load) {
    around.element.setAttribute("data-place", here.path);
    around.show(h("div", { class: "empty" }, h("h1", null, "There is no such page"), h("a", { href: "#/" }, "To the overview")));
    return;
  }
  try {
    const { show } = await load();
    if (shown !== page) return;
    const content = await show(page);
    if (shown !== page) return;
    around.show(content);
    around.element.setAttribute("data-place", here.path);
  } catch (error) {
    if (shown === page)
      around.show(
        h(
          "div",
          null,
          h("h1", null, "This page could not be shown"),
          trouble(error, () => location.reload()),
        ),
      );
  }
}

async function begin() {
  try {
    await finishSignIn();
    if (!session.needsSignIn) session.is(await ask("GET", "/v1/me"));
  } catch (error) {
    fill(
      app,
      h(
        "main",
        { class: "alone", id: "content" },
        h("h1", null, "Snapkeep"),
        trouble(error, () => location.assign("/")),
      ),
    );
    return;
  }
  draw();
}

async function draw() {
  if (session.needsSignIn) {
    const { gate } = await import("./lib/gate.js");
    fill(app, gate(begin));
    return;
  }
  shown?.leave();
  shown = null;
  frame = shell();
  fill(app, frame.element);
  await route();
}

session.listeners.add(() => {
  if (!frame) return;
  forgetAll();
  draw();
});
addEventListener("hashchange", route);
eachTick(() => refreshTimes(document));
begin();

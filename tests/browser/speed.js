/**
 * How long each page takes to its first view with data, and what moves after it: `node speed.js [URL]`, against the run at
 * that address, or else a `--demo-big` of its own. A table for tests/bench/README.md.
 */

import { launch, look, places, settled, start } from "./harness.js";

const TIMES = 3;
const given = process.argv[2];
const run = given ? { url: given.replace(/\/$/, ""), stop: async () => {} } : await start(["--demo-big"]);

/** Notes when all that is seen of a page is there for the first time, and how far it is moved after that. */
const watch = () => {
  const noted = { viewed: 0, moved: 0 };
  Object.assign(window, { noted });
  const lookAgain = () => {
    const here = (location.hash.replace(/^#/, "") || "/").split("?")[0];
    const shown = document.querySelector(".shell")?.getAttribute("data-place") === here && document.querySelector("h1");
    const waits = [...document.querySelectorAll("main .skeleton, main .waiting")].some((each) => {
      const { top, height } = each.getBoundingClientRect();
      return height > 0 && top < innerHeight;
    });
    if (shown && !waits) noted.viewed = performance.now();
    else requestAnimationFrame(lookAgain);
  };
  requestAnimationFrame(lookAgain);
  new PerformanceObserver((list) => {
    for (const entry of /** @type {any[]} */ (list.getEntries())) {
      if (!entry.hadRecentInput && noted.viewed && entry.startTime > noted.viewed) noted.moved += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
};

/** A visit by a browser that has nothing of the page yet. @param {string} place */
async function visited(place) {
  const { page, context } = await look(browser, run);
  await page.addInitScript(watch);
  await page.goto(`/${place}`);
  await settled(page);
  const { viewed, moved } = await page.evaluate(() => /** @type {any} */ (window).noted);
  await context.close();
  return { viewed: Math.round(viewed), moved };
}

const browser = await launch();
const lines = ["| page | first view, ms | again | moved after it |", "|---|---|---|---|"];
for (const [name, place] of Object.entries(await places(run))) {
  const visits = [];
  for (let at = 0; at < TIMES; at += 1) visits.push(await visited(place));
  const [first, ...again] = visits;
  const moved = Math.max(...visits.map((visit) => visit.moved));
  lines.push(`| ${name} | ${first.viewed} | ${again.map((visit) => visit.viewed).join(", ")} | ${moved.toFixed(3)} |`);
  process.stderr.write(`${lines.at(-1)}\n`);
}
await browser.close();
await run.stop();
process.stdout.write(`${lines.join("\n")}\n`);

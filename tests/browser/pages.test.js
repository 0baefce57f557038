/** Every page, in each size and theme: it shows, nothing goes wrong, and it is accessible. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { launch, look, places, settled, start, visit } from "./harness.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @type {import("./harness.js").Run} */
let run;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Record<string, string>} */
let all;
before(async () => {
  run = await start();
  browser = await launch();
  all = await places(run);
});
after(async () => {
  await browser.close();
  await run.stop();
});

/** Where the accessibility checker of axe-core finds fault with what is shown. @param {import("playwright-core").Page} page */
async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  return page.evaluate(async () => {
    // @ts-expect-error axe has just been put there
    const result = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return result.violations.map(
      (/** @type {any} */ each) =>
        `${each.id}: ${each.nodes
          .slice(0, 3)
          .map((/** @type {any} */ node) => `${node.target} ${node.failureSummary}`)
          .join(" | ")}`,
    );
  });
}

for (const size of ["desk", "phone"]) {
  test(`b25_every_page_shows_without_a_fault_and_is_accessible_on_a_${size}_in_both_themes`, async () => {
    const { page, context, holds, wrong } = await look(browser, run, `${size}-light`);
    for (const [name, place] of Object.entries(all)) {
      await visit(page, place);

      const trouble = page.locator("main .trouble");
      assert.equal(await trouble.count(), 0, `${name} on a ${size} shows trouble: ${await trouble.allTextContents()}`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} on a ${size} is ${over} px too wide`);
      for (const theme of /** @type {const} */ (["light", "dark"])) {
        await page.emulateMedia({ colorScheme: theme });
        assert.deepEqual(await violations(page), [], `${name} on a ${size}, ${theme}`);
      }
      assert.deepEqual(wrong, [], `${name} on a ${size}`);
    }
    holds();
    await context.close();
  });
}

test("touch_targets_on_a_phone_are_44_px_high", async () => {
  const { page, context } = await look(browser, run, "phone-light");
  for (const name of ["overview", "snapshots", "restores"]) {
    await visit(page, all[name]);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll("main .button, main select, main input:not([type=checkbox])")]
        .filter((each) => each.getBoundingClientRect().height > 0 && each.getBoundingClientRect().height < 44)
        .map((each) => each.outerHTML.slice(0, 90)),
    );
    assert.deepEqual(small, [], name);
  }
  await context.close();
});

test("from_360_to_2560_px_nothing_is_cut_off", async () => {
  const { page, context } = await look(browser, run);
  for (const name of ["overview", "snapshots", "instance", "sweep", "editor", "money"]) {
    await page.setViewportSize({ width: 360, height: 900 });
    await visit(page, all[name]);
    for (const width of [360, 768, 1024, 2560]) {
      await page.setViewportSize({ width, height: 900 });
      await page.evaluate(() => new Promise(requestAnimationFrame));
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${name} at ${width} is ${over} px too wide`);
    }
  }
  await context.close();
});

/** Notes how far what is already shown is moved by what comes later. */
const watchShifts = () => {
  Object.assign(window, { moved: 0, movers: [] });
  new PerformanceObserver((list) => {
    for (const entry of /** @type {any[]} */ (list.getEntries())) {
      if (entry.hadRecentInput) continue;
      /** @type {any} */ (window).moved += entry.value;
      /** @type {any} */ (window).movers.push(entry.sources.map((/** @type {any} */ each) => each.node?.outerHTML?.slice(0, 80)));
    }
  }).observe({ type: "layout-shift", buffered: true });
};

test("nothing_moves_after_the_first_view_of_any_page_and_that_is_small", async () => {
  for (const form of ["desk-light", "phone-light"]) {
    const { page, context } = await look(browser, run, form);
    await page.addInitScript(watchShifts);
    /** @type {string[]} */
    const told = [];
    for (const [name, place] of Object.entries(all)) {
      await page.goto("about:blank");
      const began = Date.now();
      await page.goto(`/${place}`);
      await page.locator("h1").first().waitFor();
      told.push(`${name} ${Date.now() - began}`);
      await settled(page);

      const { moved, movers, bytes } = await page.evaluate(() => ({
        moved: /** @type {any} */ (window).moved,
        movers: JSON.stringify(/** @type {any} */ (window).movers),
        bytes: performance.getEntriesByType("resource").reduce((sum, each) => sum + /** @type {any} */ (each).transferSize, 0),
      }));
      // What the web vitals call good is less than 0.1.
      assert.ok(moved < 0.1, `${name} on ${form} moves by ${moved.toFixed(3)}: ${movers}`);
      assert.ok(bytes < 300_000, `${name} on ${form} loads ${bytes} bytes, answers with them`);
    }
    console.log(`first view in ms, ${form}: ${told.join(", ")}`);
    await context.close();
  }
});

test("all_files_of_the_page_together_are_less_than_150_kb_compressed", () => {
  const folder = new URL("../../functions/console/assets/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  const bytes = files.reduce((sum, each) => sum + gzipSync(readFileSync(`${each.parentPath}/${each.name}`)).length, 0);
  console.log(`${files.length} files, ${bytes} bytes compressed`);
  assert.ok(files.length > 50 && bytes < 150_000, `${bytes} bytes`);
});

test("back_and_forward_and_a_second_tab_find_the_same_view", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/snapshots");
  await page.getByLabel("Any status").selectOption("condemned");
  await page.waitForURL(/status=condemned/);
  await settled(page);
  const shown = await page.locator("table.list tbody tr").count();
  await page.getByRole("link", { name: "Money" }).click();
  await page.waitForURL(/money/);

  await page.goBack();
  await settled(page);

  assert.match(page.url(), /status=condemned/);
  assert.equal(await page.getByLabel("Any status").inputValue(), "condemned");
  await page.goBack();
  assert.doesNotMatch(page.url(), /status/);
  await page.goForward();
  const second = await context.newPage();
  await visit(second, new URL(page.url()).hash);
  assert.equal(await second.locator("table.list tbody tr").count(), shown);
  holds();
  await context.close();
});

test("the_page_says_that_it_is_a_demonstration", async () => {
  const { page, context } = await look(browser, run);
  await visit(page, "#/");
  assert.match(await page.locator(".banner").innerText(), /demonstration/i);
  await context.close();
});

/** Every page, in each size and theme: it shows, nothing goes wrong, and it is accessible. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
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

test("the_first_view_comes_within_a_second_and_does_not_move_after_it", async () => {
  const { page, context } = await look(browser, run);
  await page.addInitScript(() => {
    Object.assign(window, { moved: 0 });
    new PerformanceObserver((list) => {
      for (const entry of /** @type {any[]} */ (list.getEntries())) if (!entry.hadRecentInput) /** @type {any} */ (window).moved += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto("/#/settings");
  await settled(page);
  const began = Date.now();
  await page.reload();
  await page.locator("h1").first().waitFor();
  const took = Date.now() - began;
  await settled(page);

  // A debug build beside other work: the release build is held to a second by hand.
  assert.ok(took < 3_000, `${took} ms`);
  const moved = await page.evaluate(() => /** @type {any} */ (window).moved);
  assert.ok(moved < 0.1, `layout shift of ${moved}`);
  await context.close();
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

/** Everything by keyboard alone, the palette, and copying. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ask, launch, look, settled, start, visit } from "./harness.js";

/** @type {import("./harness.js").Run} */
let run;
/** @type {import("playwright-core").Browser} */
let browser;
before(async () => {
  run = await start();
  browser = await launch();
});
after(async () => {
  await browser.close();
  await run.stop();
});

/** The dialogs of a snapshot: the button that opens each, and its title. */
const DIALOGS = [
  ["Restore", "Restore this snapshot"],
  ["Hold", "Hold this snapshot"],
  ["Edit", "Edit the snapshot"],
  ["Drill", "Drill: restore for practice"],
  ["Register an image", "Register an image"],
  ["Delete", "Delete this snapshot"],
];

test("every_dialog_of_a_snapshot_opens_and_closes_by_keyboard_and_gives_the_focus_back", async () => {
  const { page, context, holds } = await look(browser, run);
  const snapshot = (await ask(run, "/v1/snapshots?status=available&q=wiki&limit=50")).items[0];
  await visit(page, `#/snapshots/${snapshot.id}`);
  for (const [name, title] of DIALOGS) {
    const opener = page
      .locator("main header")
      .first()
      .getByRole("button", { name: new RegExp(`^${name}`) });
    await opener.focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: title });
    await dialog.waitFor();
    // The focus is inside, and stays inside.
    for (let at = 0; at < 30; at += 1) {
      await page.keyboard.press("Tab");
      assert.ok(
        await page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement?.closest("dialog"))),
        `${name}: the focus leaves the dialog`,
      );
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.ok(await opener.evaluate((element) => element === document.activeElement), `${name}: the focus comes back`);
  }
  holds();
  await context.close();
});

test("a_snapshot_is_deleted_and_rescued_by_keyboard_alone", async () => {
  const { page, context, holds } = await look(browser, run);
  const snapshot = (await ask(run, "/v1/snapshots?status=available&q=dev-anna&limit=50")).items[1];
  await visit(page, `#/snapshots/${snapshot.id}`);
  await page.getByRole("button", { name: `Delete ${snapshot.name}` }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel(/Type its name/).focus();
  await page.keyboard.type(snapshot.name);
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.locator(".toast").getByRole("button", { name: "Undo" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("is rescued and stays").waitFor();
  holds();
  await context.close();
});

test("the_palette_takes_ids_of_every_kind_and_names", async () => {
  const { page, context, holds } = await look(browser, run);
  const snapshot = (await ask(run, "/v1/snapshots?status=available&limit=50")).items[0];
  const schedule = (await ask(run, "/v1/schedules?limit=50")).items[0];
  await visit(page, "#/settings");
  for (const [text, place] of [
    [snapshot.id, /snapshots\/snp_/],
    [snapshot.instance_id, /instances\/i-/],
    [schedule.id, /schedules\/sch_/],
    [snapshot.volumes[0].ebs_snapshot_id, /account|snapshots/],
    ["customers-db", /instances\/i-/],
    ["money", /money/],
  ]) {
    await page.keyboard.press("/");
    const box = page.getByRole("combobox", { name: "Find an id or a name" });
    await box.fill(String(text));
    await page.locator("#palette-results").getByRole("option").first().waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(/** @type {RegExp} */ (place));
    await settled(page);
  }
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find an id or a name" }).waitFor();
  await page.keyboard.press("Escape");
  holds();
  await context.close();
});

test("copied_as_curl_the_request_does_the_same", async () => {
  const { page, context, holds } = await look(browser, run);
  // The page's own policy lets nobody read the clipboard, a test neither.
  await page.addInitScript(() => {
    const write = navigator.clipboard.writeText.bind(navigator.clipboard);
    navigator.clipboard.writeText = (text) => {
      Object.assign(window, { copied: text });
      return write(text);
    };
  });
  await visit(page, "#/snapshots?status=condemned");
  await page.getByRole("button", { name: "Copy as curl" }).first().click();
  await page.getByText("Copied").waitFor();
  const copied = await page.evaluate(() => /** @type {any} */ (window).copied);
  const path = /'http:\/\/[^/]+(\/v1\/[^']+)'/.exec(copied)?.[1];
  assert.ok(copied.startsWith("curl -s ") && path, copied);
  assert.ok((await ask(run, path)).items.every((/** @type {any} */ item) => item.status === "condemned"));
  holds();
  await context.close();
});

test("the_skip_link_leads_past_the_navigation", async () => {
  const { page, context } = await look(browser, run);
  await visit(page, "#/");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the content");
  await context.close();
});

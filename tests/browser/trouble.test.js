/** Hostile names, a failing API, a throttled one, a lost one. */

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

const SCRIPT = `<img src=x onerror="document.title='taken over'"><script>document.title='taken over'</script>`;

test("b2_a_name_and_a_description_that_are_script_are_shown_as_text", async () => {
  const { page, context, holds } = await look(browser, run);
  const instance = (await ask(run, "/v1/instances?q=wiki&limit=50")).items[0];
  const made = await ask(run, "/v1/snapshots", {
    method: "POST",
    body: { instance_id: instance.id, name: SCRIPT, description: SCRIPT },
  });
  for (const place of [`#/snapshots/${made.id}`, "#/snapshots", `#/snapshots?open=${made.id}`, `#/instances/${instance.id}`, "#/audit"]) {
    await visit(page, place);
    assert.equal(await page.locator("main img, main script").count(), 0, place);
    assert.doesNotMatch(await page.title(), /^taken over/);
  }
  await visit(page, `#/snapshots/${made.id}`);
  assert.equal(await page.locator("h1").innerText(), SCRIPT);
  holds();
  await context.close();
});

test("a_name_that_runs_from_right_to_left_does_not_turn_what_is_beside_it", async () => {
  const { page, context, holds } = await look(browser, run);
  const instance = (await ask(run, "/v1/instances?q=wiki&limit=50")).items[0];
  const made = await ask(run, "/v1/snapshots", {
    method: "POST",
    body: { instance_id: instance.id, name: "גיבוי לפני 2.0" },
  });
  await visit(page, "#/snapshots");
  const link = page.getByRole("link", { name: "גיבוי לפני 2.0" }).first();
  await link.waitFor();
  assert.equal(await link.getAttribute("dir"), "auto");
  await visit(page, `#/snapshots/${made.id}`);
  assert.equal(await page.locator("h1").getAttribute("dir"), "auto");
  holds();
  await context.close();
});

/** @type {[string, number, string, RegExp][]} */
const ANSWERS = [
  ["throttled", 429, '{"message":"Too Many Requests"}', /Too Many Requests/],
  [
    "failing",
    500,
    '{"type":"urn:snapkeep:problem:internal","title":"Something failed","detail":"the table is out of reach","request_id":"abc-123"}',
    /the table is out of reach/,
  ],
  ["speechless", 502, "<html>", /did not say what was wrong/],
];
for (const [kind, status, body, said] of ANSWERS) {
  test(`u22_b24_a_${kind}_api_is_told_in_words_beside_what_failed_and_tried_again`, async () => {
    const { page, context } = await look(browser, run, "desk-light", { expect: /Failed to load resource/ });
    await visit(page, "#/schedules");
    await page.route("**/v1/snapshots?*", (route) => route.fulfill({ status, body, contentType: "application/json" }));
    await page.goto("/#/snapshots");
    const trouble = page.locator("main .trouble").first();
    await trouble.waitFor();
    assert.match(await trouble.innerText(), said);
    if (body.includes("abc-123")) assert.match(await trouble.innerText(), /abc-123/);
    await page.unroute("**/v1/snapshots?*");
    await trouble.getByRole("button", { name: "Try again" }).click();
    await page.locator("table.list tbody tr").first().waitFor();
    assert.equal(await page.locator("main .trouble").count(), 0);
    await context.close();
  });
}

test("what_was_there_stays_while_the_network_is_gone_and_comes_back_by_itself", async () => {
  const { page, context } = await look(browser, run, "desk-light", { expect: /Failed to load resource|ERR_/ });
  await visit(page, "#/schedules");
  const before = await page.locator("table.list tbody tr").count();
  await context.setOffline(true);
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.getByText("The API does not answer").waitFor();
  assert.equal(await page.locator("table.list tbody tr").count(), before);
  await context.setOffline(false);
  await page.getByText("The API does not answer").waitFor({ state: "detached" });
  await context.close();
});

test("a_refused_action_says_why_in_its_dialog_and_can_be_tried_again", async () => {
  const { page, context } = await look(browser, run, "desk-light", { expect: /Failed to load resource/ });
  const snapshot = (await ask(run, "/v1/snapshots?status=available&q=wiki&limit=50")).items[0];
  await visit(page, `#/snapshots/${snapshot.id}`);
  await page.getByRole("button", { name: "Edit", exact: true }).click();
  await ask(run, `/v1/snapshots/${snapshot.id}`, { method: "PATCH", body: { description: "somebody else was here" } });
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("mine");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByRole("alert").waitFor();
  assert.match(await dialog.getByRole("alert").innerText(), /version|changed|meanwhile/i);
  assert.ok(await dialog.getByRole("button", { name: "Save" }).isEnabled());
  await context.close();
});

test("b23_a_page_asks_again_by_itself_but_a_hidden_one_asks_for_nothing_until_it_is_seen", async () => {
  const { page, context } = await look(browser, run);
  await page.clock.install();
  await visit(page, "#/snapshots");
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().includes("/v1/snapshots?")) asked += 1;
  });
  const turn = async (/** @type {boolean} */ hidden) => {
    await page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  };
  await turn(true);
  await page.clock.runFor(60_000);
  assert.equal(asked, 0);

  const seen = page.waitForRequest(/v1\/snapshots\?/);
  await turn(false);
  await seen;
  const again = page.waitForRequest(/v1\/snapshots\?/);
  // However slow the machine is, it is asked again within a minute.
  await page.clock.runFor(62_000);
  await again;
  await context.close();
});

test("an_unknown_place_and_an_unknown_record_say_so", async () => {
  const { page, context } = await look(browser, run, "desk-light", { expect: /Failed to load resource/ });
  await visit(page, "#/nowhere/at/all/then");
  assert.match(await page.locator("main").innerText(), /no such page/);
  await page.goto("/#/snapshots/snp_0195500c-6d00-7000-8000-000000000000");
  await settled(page);
  assert.match(await page.locator("main").innerText(), /no such snapshot/);
  await context.close();
});

test("a_fresh_run_leads_through_its_first_steps", async () => {
  const fresh = await start([]);
  const { page, context, holds } = await look(browser, fresh);
  await visit(page, "#/snapshots");
  assert.match(await page.locator("main").innerText(), /No snapshots yet/);
  await visit(page, "#/schedules");
  assert.match(await page.locator("main").innerText(), /No schedules yet/);
  assert.equal(await page.locator(".banner").count(), 0);
  holds();
  await context.close();
  await fresh.stop();
});

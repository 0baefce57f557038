/** Row by row: what four products for the same job offer in their pages. A test begins with the ids of its rows. */

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

/** @param {string} query */
const first = async (query) => (await ask(run, `/v1/snapshots?limit=50&${query}`)).items[0];

let taken = 0;
/** An available snapshot that no other test touches, under a name of its own. @param {string} name */
async function spare(name) {
  const { items } = await ask(run, "/v1/snapshots?status=available&q=customers-db&limit=50");
  const snapshot = items[(taken += 2)];
  return ask(run, `/v1/snapshots/${snapshot.id}`, { method: "PATCH", body: { name } });
}

test("u1_u2_u3_u4_u5_u6_u7_u8_one_list_shows_all_snapshots_with_id_name_instance_size_place_and_time", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/");
  await page.getByRole("link", { name: "Snapshots", exact: true }).click();
  await settled(page);

  const heads = await page.locator("table.list thead th").allInnerTexts();
  assert.deepEqual(heads.slice(0, 7), ["Snapshot", "Instance", "Created", "Size", "Where", "Status", "Why it is here, how long"]);
  const newest = await first("");
  const row = page.locator("table.list tbody tr").first();
  assert.match(await row.innerText(), new RegExp(newest.id.slice(-6)));
  assert.match(await row.innerText(), new RegExp(newest.instance_id));
  assert.match(await row.innerText(), /GiB/);
  assert.match(await row.innerText(), new RegExp(newest.region));
  assert.match((await row.locator("time").first().getAttribute("aria-label")) ?? "", /UTC/);
  holds();
  await context.close();
});

test("u9_u11_u12_m3_m6_m7_b5_a_restore_names_the_four_things_shows_its_steps_and_wants_the_name", async () => {
  // In place it needs the instance stopped: what is not allowed yet is a refusal that the browser notes.
  const { page, context, holds } = await look(browser, run, "desk-light", { expect: /409 \(Conflict\)/ });
  const snapshot = await first("status=available&origin=schedule");
  await visit(page, `#/instances/${snapshot.instance_id}`);
  await page.getByRole("button", { name: `Restore ${snapshot.name}` }).click();
  const dialog = page.getByRole("dialog");

  const text = await dialog.innerText();
  assert.match(text, new RegExp(snapshot.name));
  assert.match(text, new RegExp(snapshot.id.slice(-6)));
  assert.match(text, new RegExp(snapshot.instance_id));
  assert.match(text, /CREATED|Created/);
  await dialog.getByLabel(/In place: the instance's volumes/).check();
  // What is in the way is said as the page calls it, and not as the API does.
  await dialog.getByText(/tick “Stop the instance for it, if it runs”, or stop it first/).waitFor();
  assert.doesNotMatch(await dialog.innerText(), /stop: true/);
  assert.match(await dialog.innerText(), /Take the old volumes off/);
  assert.match(await dialog.innerText(), /old volumes/i);
  assert.ok(await dialog.getByRole("button", { name: "Restore", exact: true }).isDisabled());
  await dialog.getByLabel(/Type the snapshot's name/).fill(snapshot.name);
  assert.ok(await dialog.getByRole("button", { name: "Restore", exact: true }).isEnabled());
  await dialog.getByLabel(/New volumes beside/).check();
  await dialog.getByRole("button", { name: "Restore", exact: true }).click();
  await page.waitForURL(/restores\/rst_/);
  await settled(page);
  assert.match(await page.locator(".rail").first().innerText(), /Make new volumes/);
  holds();
  await context.close();
});

test("u10_u13_u14_u15_b4_b18_b19_b20_w9_a_deletion_shows_what_it_is_warns_and_wants_the_exact_name", async () => {
  const { page, context, holds } = await look(browser, run);
  const snapshot = await spare("to be deleted");
  await visit(page, `#/snapshots/${snapshot.id}`);
  await page.getByRole("button", { name: "Delete to be deleted" }).click();
  const dialog = page.getByRole("dialog");
  const act = dialog.getByRole("button", { name: "Delete", exact: true });

  const text = await dialog.innerText();
  for (const part of ["to be deleted", snapshot.id.slice(-6), snapshot.instance_id, "GiB", "cannot be undone"]) assert.match(text, new RegExp(part));
  assert.equal((await dialog.locator(".warning .mark").count()) > 0, true);
  assert.ok(await act.isDisabled());
  await dialog.getByLabel(/Type its name/).fill("to be delete");
  assert.ok(await act.isDisabled());
  await dialog.getByLabel(/Type its name/).fill("to be deleted");
  const colour = (/** @type {import("playwright-core").Locator} */ of) => of.evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.notEqual(await colour(act), await colour(dialog.getByRole("button", { name: "Cancel" })));
  /** @type {() => void} */
  let go = () => {};
  const held = new Promise((resolve) => (go = () => resolve(null)));
  await page.route("**/v1/snapshots/snp_*", async (route) => {
    if (route.request().method() === "DELETE") await held;
    await route.continue();
  });
  await act.click();
  const running = dialog.getByRole("button", { name: "Deleting…" });
  await running.waitFor();
  assert.ok(await running.isDisabled());
  assert.equal(await running.locator(".spinner").count(), 1);
  go();
  await dialog.waitFor({ state: "detached" });
  assert.equal((await ask(run, `/v1/snapshots/${snapshot.id}`)).status, "condemned");
  holds();
  await context.close();
});

test("a_deletion_with_a_grace_is_undone_from_the_toast", async () => {
  const { page, context, holds } = await look(browser, run);
  const snapshot = await spare("to be rescued");
  await visit(page, `#/snapshots/${snapshot.id}`);
  await page.getByRole("button", { name: "Delete to be rescued" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/Type its name/).fill("to be rescued");
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await dialog.waitFor({ state: "detached" });

  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();

  await page.getByText("is rescued and stays").waitFor();
  assert.notEqual((await ask(run, `/v1/snapshots/${snapshot.id}`)).status, "condemned");
  holds();
  await context.close();
});

test("w10_w11_m5_a_hold_is_placed_with_its_reason_and_undone_from_the_toast", async () => {
  const { page, context, holds } = await look(browser, run);
  const snapshot = await first("status=available&q=vpn");
  await visit(page, `#/snapshots/${snapshot.id}`);
  await page.getByRole("button", { name: `Hold ${snapshot.name}` }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/Nobody deletes it until a day/).check();
  await dialog.getByLabel("Why").fill("an audit");
  await dialog.getByRole("button", { name: "Hold", exact: true }).click();
  await dialog.waitFor({ state: "detached" });

  const { hold } = await ask(run, `/v1/snapshots/${snapshot.id}`);
  assert.equal(hold.type, "until");
  assert.equal(hold.reason, "an audit");
  await page.getByText("an audit").first().waitFor();
  await page.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: `Hold ${snapshot.name}` }).waitFor();
  assert.equal((await ask(run, `/v1/snapshots/${snapshot.id}`)).hold, null);
  holds();
  await context.close();
});

test("m1_m5_w12_w22_w23_b3_b21_a_snapshot_is_taken_by_hand_after_a_warning_and_the_list_has_it", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/instances?q=jump");
  await page.getByRole("button", { name: "Take a snapshot of jump" }).click();
  const dialog = page.getByRole("dialog");
  assert.match(await dialog.innerText(), /not shut down/);
  await dialog.getByLabel("Name", { exact: true }).fill("by hand");
  await dialog.getByRole("button", { name: "Take it" }).click();
  await dialog.waitFor({ state: "detached" });

  await page.getByRole("link", { name: "Snapshots", exact: true }).click();

  await page.getByRole("link", { name: "by hand" }).first().waitFor();
  holds();
  await context.close();
});

test("w1_w2_w3_schedules_have_a_screen_of_their_own_and_are_assigned_at_the_instance", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/schedules");
  await page.getByRole("button", { name: "Add a schedule" }).click();
  await settled(page);
  await page.getByLabel("Name", { exact: true }).fill("every sixty minutes");
  await page.getByLabel("When", { exact: true }).fill("rate(60 minutes)");
  await page.getByLabel("Tags, all of them").fill("Environment: nowhere");
  await page.getByText("every 60 minutes").first().waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/schedules\/sch_/);
  await page.getByRole("link", { name: "Instances", exact: true }).click();
  await settled(page);
  await page.getByLabel("Name or id").fill("cache-1");
  await page.waitForURL(/q=cache/);
  await page.getByRole("link", { name: "cache-1" }).click();
  await page.getByRole("button", { name: "Schedules…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/every sixty minutes/).check();
  await dialog.getByText("Then:").waitFor();
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });

  await page.getByRole("link", { name: "every sixty minutes", exact: true }).waitFor();
  holds();
  await context.close();
});

test("m4_w8_w16_what_is_deleted_leaves_the_list_is_found_by_a_filter_and_restored_no_more", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/snapshots");
  assert.equal(await page.locator("table.list tbody .badge", { hasText: /^deleted$/ }).count(), 0);
  await page.getByLabel("All, or only…").selectOption("gone");
  await page.waitForURL(/show=gone/);
  await settled(page);
  const row = page.locator("table.list tbody tr", { has: page.locator(".badge", { hasText: /^deleted$/ }) }).first();
  while ((await row.count()) === 0) {
    await page.getByRole("button", { name: "Show more" }).click();
    await settled(page);
  }
  assert.equal(await row.getByRole("button", { name: /^Restore / }).count(), 0);
  holds();
  await context.close();
});

test("b13_b14_b15_b16_b17_a_snapshots_details_open_beside_the_list", async () => {
  const { page, context, holds } = await look(browser, run);
  const snapshot = await first("q=before the upgrade");
  await visit(page, `#/snapshots?open=${snapshot.id}`);
  const drawer = page.getByRole("complementary", { name: "The chosen snapshot" });

  const text = await drawer.innerText();
  for (const part of [snapshot.name, "customers-db", "GiB", "available", "Used by an image", "PostgreSQL 15.3 to 15.4"])
    assert.match(text, new RegExp(part));
  await drawer.getByRole("link", { name: "All of it" }).click();
  await page.getByRole("heading", { name: "The machine as it was" }).waitFor();
  holds();
  await context.close();
});

test("b22_the_list_is_refreshed_by_hand_with_a_spinner", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/snapshots");
  let asked = 0;
  page.on("request", (request) => {
    if (request.url().includes("/v1/snapshots?")) asked += 1;
  });
  await page.route("**/v1/snapshots?*", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await route.continue();
  });
  await page.getByRole("button", { name: "Refresh" }).click();
  await page.locator(".refresh.spins").waitFor();
  await page.locator(".refresh:not(.spins)").waitFor();
  assert.ok(asked >= 1);
  holds();
  await context.close();
});

test("b23_b30_w25_a_snapshots_status_changes_on_the_screen_by_itself", async () => {
  const quick = await start(["--speed", "10"]);
  const { page, context, holds } = await look(browser, quick);
  await visit(page, "#/instances");
  await page
    .getByRole("button", { name: /^Take a snapshot of / })
    .first()
    .click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill("watched");
  await dialog.getByRole("button", { name: "Take it" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Snapshots", exact: true }).click();
  await page.getByRole("link", { name: "watched" }).first().click();
  const status = page.locator("h1 + .badge");
  await status.filter({ hasText: /requested|creating|pending/ }).waitFor();

  await status.filter({ hasText: "available" }).waitFor();

  holds();
  await context.close();
  await quick.stop();
});

test("u18_b28_b29_snapshots_are_filtered_by_region_and_counted_with_their_sizes", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/snapshots");
  await page.getByLabel("Any region").selectOption("eu-west-1");
  await page.waitForURL(/region=eu-west-1/);
  await settled(page);
  const where = await page.locator("table.list tbody td[data-label=Where]").allInnerTexts();
  assert.ok(where.length > 0 && where.every((text) => text.includes("eu-west-1")), where.join());
  await visit(page, "#/");
  const figures = await page.locator(".figures").innerText();
  assert.match(figures, /Snapshots\s+[\d,]+/i);
  assert.match(figures, /Size of their volumes\s+[\d,.]+ [GT]iB/i);
  holds();
  await context.close();
});

test("b1_b27_a_long_list_goes_on_by_its_cursor_and_shows_nothing_twice", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/snapshots");
  const rows = page.locator("table.list tbody tr");
  const before = await rows.count();
  await page.getByRole("button", { name: "Show more" }).click();
  await page.waitForFunction((count) => document.querySelectorAll("table.list tbody tr").length > count, before);
  const keys = await rows.evaluateAll((all) => all.map((row) => row.getAttribute("data-key")));
  assert.equal(new Set(keys).size, keys.length);
  holds();
  await context.close();
});

test("b6_money_says_which_size_each_number_is", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/money");
  const text = await page.locator("main").innerText();
  for (const name of [/Size of the volumes/, /All data/, /Estimated/, /prices of \d{4}-\d\d/]) assert.match(text, name);
  holds();
  await context.close();
});

test("b7_w4_what_cannot_be_taken_says_why", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/instances?q=render");
  const button = page.getByRole("button", { name: "Take a snapshot of render" });
  assert.equal(await button.getAttribute("aria-disabled"), "true");
  assert.ok((await button.getAttribute("aria-description"))?.length);
  holds();
  await context.close();
});

test("b8_b10_an_image_is_registered_from_a_snapshot_and_the_snapshot_says_so", async () => {
  const { page, context, holds } = await look(browser, run);
  const snapshot = await first("status=available&q=monitoring");
  await visit(page, `#/snapshots/${snapshot.id}`);
  await page.getByRole("button", { name: "Register an image" }).click();
  const dialog = page.getByRole("dialog");
  assert.match(await dialog.innerText(), /nothing can delete it/);
  await dialog.getByRole("button", { name: "Register", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("is being registered").waitFor();
  holds();
  await context.close();
});

test("b9_images_are_listed_shown_in_detail_and_deregistered_by_name", async () => {
  const { page, context, holds } = await look(browser, run);
  const [image] = (await ask(run, "/v1/images?status=available&limit=50")).items;
  await visit(page, "#/images");
  const row = page.locator("table.list tbody tr").filter({ hasText: image.name }).first();
  assert.match(await row.innerText(), new RegExp(image.ami_id));
  await row.getByRole("link", { name: image.name }).click();
  await settled(page);
  assert.match(await page.locator("main").innerText(), new RegExp(image.volumes[0].ebs_snapshot_id));
  await page.getByRole("button", { name: `Deregister ${image.name}` }).click();
  const dialog = page.getByRole("dialog");
  const act = dialog.getByRole("button", { name: "Deregister", exact: true });
  assert.ok(await act.isDisabled());
  await dialog.getByLabel(/Type the image's name/).fill(image.name);
  await act.click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("is being deregistered").waitFor();
  const after = await ask(run, `/v1/images/${image.id}`);
  assert.match(after.status, /deregister/);
  holds();
  await context.close();
});

test("u20_u21_m8_a_viewer_sees_what_they_may_not_do_and_which_role_may", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/snapshots");
  await page.getByLabel("Role").selectOption("viewer");
  await settled(page);
  const restore = page.getByRole("button", { name: /^Restore / }).first();
  await restore.waitFor();
  assert.equal(await restore.getAttribute("aria-disabled"), "true");
  // What is only said to be disabled can still be pressed, and then says why: a real one would be silent.
  await restore.click({ force: true });
  await page.getByText("Needs the role operator; you are viewer.").first().waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  const remove = page.getByRole("button", { name: /^Delete / }).first();
  assert.equal(await remove.getAttribute("aria-description"), "Needs the role admin; you are viewer.");
  holds();
  await context.close();
});

test("w5_the_brake_is_explained_and_an_admin_approves_the_very_plan", async () => {
  const { page, context, holds } = await look(browser, run);
  const sweep = (await ask(run, "/v1/sweeps?limit=50")).items.find((/** @type {any} */ each) => each.status === "needs_approval");
  await visit(page, `#/sweeps/${sweep.id}`);
  await page.getByText("The brake has stopped this plan").waitFor();
  await page.getByText("108 unexpected deletions").first().waitFor();
  await page.getByRole("button", { name: "Look and approve" }).click();
  const dialog = page.getByRole("dialog");
  assert.match(await dialog.innerText(), new RegExp(sweep.plan_hash));
  assert.ok(await dialog.getByRole("button", { name: "Approve and delete" }).isDisabled());
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("dialog").count(), 0);
  holds();
  await context.close();
});

test("the_editor_says_what_an_edit_deletes_before_it_is_saved", async () => {
  const { page, context, holds } = await look(browser, run);
  const schedule = (await ask(run, "/v1/schedules?limit=50")).items.find((/** @type {any} */ each) => each.name.startsWith("Databases"));
  await visit(page, `#/schedules/${schedule.id}/edit`);
  await page.getByText("No snapshot's fate changes.").waitFor();
  await page.getByLabel("Keep daily").fill("1");
  await page.getByText(/snapshots would go that would stay now/).waitFor();
  await page.locator(".river .lost").first().waitFor({ state: "attached" });
  assert.equal((await ask(run, `/v1/schedules/${schedule.id}`)).version, schedule.version);
  holds();
  await context.close();
});

test("u16_b26_a_name_with_purpose_and_date_is_proposed_and_a_description_asked_for", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/instances?q=jump");
  await page.getByRole("button", { name: "Take a snapshot of jump" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Before an upgrade" }).click();

  assert.match(await dialog.getByLabel("Name", { exact: true }).inputValue(), /^jump before the upgrade \d{4}-\d\d-\d\d$/);
  assert.match(await dialog.getByLabel("Delete it after").inputValue(), /^\d{4}-\d\d-\d\d$/);
  assert.equal(await dialog.getByLabel("Description").count(), 1);
  holds();
  await context.close();
});

test("u17_what_is_to_be_looked_at_is_a_list_of_its_own_with_reasons", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/snapshots");
  await page.getByLabel("All, or only…").selectOption("review");
  await page.waitForURL(/show=review/);
  await settled(page);

  const review = await ask(run, "/v1/snapshots/review");
  const row = page.locator("table.list tbody tr", { hasText: review.held_review_due.items[0].name });
  assert.match(await row.innerText(), /hold to be reviewed/);
  assert.match(await row.innerText(), /was to be reviewed by/);
  assert.match(await page.locator("table.list").innerText(), /blocked for long/);
  holds();
  await context.close();
});

test("u19_what_is_not_filled_in_or_not_valid_is_said_beside_the_form_and_nothing_is_saved", async () => {
  const { page, context } = await look(browser, run, "desk-light", { expect: /400 \(Bad Request\)/ });
  const before = (await ask(run, "/v1/schedules?limit=50")).items.length;
  await visit(page, "#/schedules/new/edit");
  await page.getByText("Give it a name, and say of which instances.").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("not valid");
  await page.getByLabel("Tags, all of them").fill("Environment: nowhere");
  await page.getByLabel("When", { exact: true }).fill("rate(5 lightyears)");
  await page.getByRole("button", { name: "Save" }).click();

  const problem = page.locator("form ~ div .trouble, form + div .trouble").first();
  await problem.waitFor();
  assert.match(await problem.innerText(), /expression/);
  assert.equal((await ask(run, "/v1/schedules?limit=50")).items.length, before);
  await context.close();
});

test("w7_what_a_schedule_took_is_in_the_list_and_found_by_its_origin", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/snapshots");
  await page.getByLabel("Any origin").selectOption("schedule");
  await page.waitForURL(/origin=schedule/);
  await settled(page);

  const taken = (await ask(run, "/v1/snapshots?origin=schedule&limit=50")).items;
  await page.getByRole("link", { name: taken[0].name }).first().waitFor();
  holds();
  await context.close();
});

test("runs_of_all_schedules_are_listed_by_what_became_of_them_and_by_day_and_go_on_by_their_cursor", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/");
  await page.getByRole("link", { name: "Runs that went wrong" }).click();
  await settled(page);

  const amiss = (await ask(run, "/v1/runs?status=failed&status=partly_failed&status=missed&limit=50")).items;
  const rows = page.locator("table.list tbody tr");
  assert.ok(amiss.length > 0);
  assert.equal(await rows.count(), amiss.length);
  assert.match(await rows.first().innerText(), new RegExp(amiss[0].schedule_name));
  for (const text of await rows.locator("td[data-label=Status]").allInnerTexts()) assert.match(text, /failed|missed/);
  assert.equal(await page.getByRole("navigation").getByRole("link", { name: "Schedules" }).getAttribute("aria-current"), "page");

  await page.getByRole("combobox", { name: "Any status" }).selectOption("");
  await settled(page);
  assert.equal(await rows.count(), 50);
  await page.getByRole("button", { name: "Show more" }).click();
  await settled(page);
  assert.equal(await rows.count(), 100);
  const keys = await rows.evaluateAll((all) => all.map((each) => each.getAttribute("data-key")));
  assert.equal(new Set(keys).size, 100);

  const day = amiss[0].slot.slice(0, 10);
  for (const name of ["From", "To"]) await page.getByLabel(name, { exact: true }).fill(day);
  await settled(page);
  const slots = await rows.locator("td[data-label=Slot] time").evaluateAll((all) => all.map((each) => each.getAttribute("datetime") ?? ""));
  assert.ok(slots.length > 0);
  const from = Date.parse(`${day}T00:00:00+01:00`);
  for (const slot of slots) assert.ok(Date.parse(slot) >= from && Date.parse(slot) < from + 86_400_000, slot);

  await rows.first().getByRole("button", { name: "Targets" }).click();
  await page.getByRole("dialog").waitFor();
  holds();
  await context.close();
});

test("a_run_that_failed_is_marked_as_failed_on_an_instances_life_line", async () => {
  const { page, context, holds } = await look(browser, run);
  const { items } = await ask(run, "/v1/instances?limit=200");
  const { id } = items.find((/** @type {any} */ one) => one.name === "crm-old");
  const history = (await ask(run, `/v1/instances/${id}/history?limit=200`)).items;
  const failed = history.filter((/** @type {any} */ entry) => /^The run .* (partly_)?failed$/.test(entry.summary));
  assert.ok(failed.length > 0, history.map((/** @type {any} */ entry) => entry.summary).join("\n"));

  await visit(page, `#/instances/${id}`);
  const marks = await page
    .locator("svg.life .event")
    .evaluateAll((all) => all.map((one) => [one.getAttribute("data-tip") ?? "", one.getAttribute("class") ?? ""]));
  const ofRuns = marks.filter(([tip]) => /run of .*failed/.test(tip));
  assert.ok(ofRuns.length > 0, JSON.stringify(marks));
  for (const [tip, looks] of ofRuns) assert.doesNotMatch(looks, /good/, tip);
  holds();
  await context.close();
});

test("what_restores_have_left_behind_is_a_list_of_its_own_with_what_it_costs", async () => {
  const { page, context, holds } = await look(browser, run);
  await visit(page, "#/restores");
  await page.getByLabel("All, or only…").selectOption("left");
  await page.waitForURL(/show=left/);
  await settled(page);

  const review = await ask(run, "/v1/snapshots/review");
  const [old] = review.old_volumes_due.items;
  const row = page.locator("table.list tbody tr", { hasText: old.restore_id.slice(-6) });
  assert.match(await row.innerText(), /old volumes may go/);
  assert.match(await row.innerText(), /USD a month/);
  const stopped = page.locator("table.list tbody tr", { hasText: review.stopped_restores.items[0].restore_id.slice(-6) });
  assert.match(await stopped.innerText(), /What there is/);
  await row.getByRole("link", { name: "The restore" }).click();
  await page.waitForURL(new RegExp(`restores/${old.restore_id}`));
  holds();
  await context.close();
});

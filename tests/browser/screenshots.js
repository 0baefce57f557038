/** Every page and every dialog, as pictures: `node screenshots.js [FOLDER] [PAGE,…] [FORM,…]`. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { FORMS, launch, look, places, settled, start, visit } from "./harness.js";

const [folder = "screenshots", only = "", forms = "desk-light,desk-dark,phone-light"] = process.argv.slice(2);

/** What opens each dialog, and where. */
const DIALOGS = /** @type {[string, string, string][]} */ ([
  ["dialog-restore", "snapshot", "Restore"],
  ["dialog-hold", "snapshot", "Hold"],
  ["dialog-edit", "snapshot", "Edit"],
  ["dialog-drill", "snapshot", "Drill"],
  ["dialog-image", "snapshot", "Register an image"],
  ["dialog-delete", "snapshot", "Delete"],
  ["dialog-take", "instance", "Take a snapshot"],
  ["dialog-assign", "instance", "Schedules…"],
  ["dialog-back", "restore", "Go back"],
  ["dialog-approve", "sweep", "Look and approve"],
  ["dialog-deregister", "image", "Deregister"],
]);

mkdirSync(folder, { recursive: true });
const run = await start();
const browser = await launch();
const all = /** @type {Record<string, string>} */ (await places(run));
const wanted = (/** @type {string} */ name) => !only || only.split(",").some((each) => name.startsWith(each));
for (const form of forms.split(",")) {
  if (!FORMS[form]) throw new Error(`there is no form ${form}, but ${Object.keys(FORMS).join(", ")}`);
  const { page, context, wrong } = await look(browser, run, form);
  const keep = (/** @type {string} */ name) => page.screenshot({ path: join(folder, `${name}-${form}.png`) });
  for (const [name, place] of Object.entries(all).filter(([name]) => wanted(name))) {
    await visit(page, place);
    await keep(name);
  }
  for (const [name, where, opener] of DIALOGS.filter(([name]) => wanted(name))) {
    await visit(page, all[where]);
    const button = page.locator("main").getByRole("button", { name: new RegExp(`^${opener}`) });
    await button.first().click();
    await page.getByRole("dialog").waitFor();
    await settled(page);
    await keep(name);
    await page.keyboard.press("Escape");
  }
  for (const each of wrong) process.stderr.write(`${each}\n`);
  await context.close();
}
await browser.close();
await run.stop();

/** Every page in three forms, as pictures: `node screenshots.js [FOLDER] [PAGE,…]`. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch, look, places, start, visit } from "./harness.js";

const [folder = "screenshots", only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const run = await start();
const browser = await launch();
const wanted = Object.entries(await places(run)).filter(([name]) => !only || only.split(",").includes(name));
for (const form of ["desk-light", "desk-dark", "phone-light"]) {
  const { page, context, wrong } = await look(browser, run, form);
  for (const [name, place] of wanted) {
    await visit(page, place);
    await page.screenshot({ path: join(folder, `${name}-${form}.png`) });
  }
  for (const each of wrong) process.stderr.write(`${each}\n`);
  await context.close();
}
await browser.close();
await run.stop();

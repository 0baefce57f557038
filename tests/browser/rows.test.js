/** The rows of other products' pages that a page can answer: each has a test that begins with its id. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

/** U: Utho, M: Magento Cloud, W: WPCloudDeploy's Scheduled Snapshots, B: Barrack; the numbers are those of the survey. */
const ROWS = {
  u: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22],
  m: [1, 3, 4, 5, 6, 7, 8],
  w: [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 16, 22, 23, 25],
  b: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30],
};

test("every_row_that_a_page_can_answer_has_a_test_that_carries_its_id", () => {
  const folder = new URL(".", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".test.js"));
  const texts = files.map((name) => readFileSync(new URL(name, folder), "utf8"));
  const names = texts.flatMap((text) => [...text.matchAll(/test\(\s*["`]([a-z0-9_]+)/g)].map(([, name]) => name));
  const carried = new Set(names.flatMap((name) => /^(?:[umwb]\d+_)+/.exec(name)?.[0].split("_") ?? []));

  const wanted = Object.entries(ROWS).flatMap(([product, rows]) => rows.map((row) => `${product}${row}`));
  assert.deepEqual(
    wanted.filter((row) => !carried.has(row)),
    [],
  );
});

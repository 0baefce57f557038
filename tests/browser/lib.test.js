/** The helper modules by themselves: elements, the keyed list, places, words. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look, start, visit } from "./harness.js";

/** @type {import("./harness.js").Run} */
let run;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let page;
before(async () => {
  run = await start([]);
  browser = await launch();
  ({ page } = await look(browser, run));
  await visit(page, "#/settings");
  await page.evaluate(async () => {
    const base = /** @type {HTMLScriptElement} */ (document.querySelector("script[type=module]")).src.replace(/main\.js$/, "lib/");
    /** @type {any} */ (window).lib = async (/** @type {string} */ name) => import(`${base}${name}.js`);
  });
});
after(async () => {
  await browser.close();
  await run.stop();
});

/** @param {string} body */
const inside = (body) => page.evaluate(`(async () => { ${body} })()`);

test("text_is_text_whatever_stands_in_it", async () => {
  assert.equal(
    await inside(
      `const { h } = await lib("dom"); const e = h("p", null, "<b>x</b>", 1, null, false, ["&amp;"]); return [e.childElementCount, e.textContent].join();`,
    ),
    "0,<b>x</b>1&amp;",
  );
});

test("a_keyed_list_keeps_the_elements_of_items_that_say_the_same", async () => {
  assert.deepEqual(
    await inside(`const { h, keyed } = await lib("dom"); const list = h("ul"); const draw = (items) => keyed(list, items, (i) => i.id, (i) => h("li", null, i.text));
    draw([{ id: "a", text: "1" }, { id: "b", text: "2" }, { id: "c", text: "3" }]); const [a, b] = list.children;
    draw([{ id: "c", text: "3" }, { id: "a", text: "1" }, { id: "b", text: "changed" }, { id: "d", text: "new" }]);
    return [list.textContent, list.children[1] === a, list.children[2] === b];`),
    ["31changednew", true, false],
  );
});

test("a_keyed_list_removes_what_is_gone_and_stands_an_empty_one", async () => {
  assert.equal(
    await inside(`const { h, keyed } = await lib("dom"); const list = h("ul"); const draw = (items) => keyed(list, items, (i) => i, (i) => h("li", null, i));
    draw(["a", "b"]); draw(["b"]); const one = list.textContent; draw([]); return one + list.childElementCount;`),
    "b0",
  );
});

test("a_span_is_told_in_the_units_that_matter", async () => {
  assert.deepEqual(
    await inside(`const { span } = await lib("format"); return [0, 59, 60, 3599, 3600, 5400, 90000, 172800, 8640000, 63072000].map(span);`),
    ["0 s", "59 s", "1 min", "60 min", "1 h", "1 h 30 min", "25 h", "2 days", "3 months", "2 years"],
  );
});

test("a_place_is_read_back_as_it_was_written", async () => {
  assert.deepEqual(
    await inside(
      `const { link, place } = await lib("router"); const before = location.hash; history.replaceState(null, "", link("/audit", { who: "a&b=c d", empty: "" })); const found = place(); history.replaceState(null, "", before); return [found.path, found.query];`,
    ),
    ["/audit", { who: "a&b=c d" }],
  );
});

test("the_strongest_keeper_is_the_one_that_is_shown", async () => {
  assert.deepEqual(
    await inside(`const base = document.querySelector("script[type=module]").src.replace(/main.js$/, ""); const { keeper } = await import(base + "pictures/keepers.js");
    return [["daily 1 of 7", "yearly 1 of 2"], ["weekly 1 of 4"], ["newest"], []].map(keeper);`),
    ["yearly", "weekly", "newest", "none"],
  );
});

test("a_curl_command_quotes_what_a_shell_would_take_apart", async () => {
  assert.match(
    String(await inside(`const { curl } = await lib("api"); return curl("POST", "/v1/snapshots", { name: "it's $HOME" });`)),
    /-d '\{"name":"it'\\''s \$HOME"\}'$/,
  );
});

test("long_ids_in_a_sentence_are_cut_to_what_tells_them_apart", async () => {
  assert.equal(
    await inside(
      `const { shortened } = await lib("format"); return shortened("Snapshot snp_0195500c-6d00-7000-8000-0000000abcde of i-0123456789abcdef0");`,
    ),
    "Snapshot snp_…0abcde of i-0123456789abcdef0",
  );
});

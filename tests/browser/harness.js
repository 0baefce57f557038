/** A local run with its demonstration, and a browser before it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const ROOT = new URL("../..", import.meta.url).pathname;
const LOCAL = process.env.SNAPKEEP_LOCAL ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug/local");
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The sizes and themes in which every page is looked at. */
export const FORMS = /** @type {Record<string, import("playwright-core").BrowserContextOptions>} */ ({
  "desk-light": { viewport: { width: 1440, height: 900 }, colorScheme: "light" },
  "desk-dark": { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  "phone-light": { viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
  "phone-dark": { viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true, isMobile: true },
  "small-light": { viewport: { width: 360, height: 740 }, colorScheme: "light", hasTouch: true, isMobile: true },
  "wide-light": { viewport: { width: 2560, height: 1440 }, colorScheme: "light" },
});

// A test that is ended from outside leaves no run behind.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(1));

/** @typedef {{url: string, stop: () => Promise<void>}} Run */

/**
 * Starts a run on a free port; comes back once it answers.
 * @param {string[]} [more] @param {Record<string, string>} [environment]
 * @returns {Promise<Run>}
 */
export async function start(more = ["--demo"], environment = {}) {
  const folder = mkdtempSync(join(tmpdir(), "snapkeep-browser-"));
  const child = spawn(LOCAL, ["--port", "0", "--data", folder, ...more], { env: { ...process.env, RUST_LOG: "error", ...environment } });
  const end = () => child.kill();
  process.once("exit", end);
  let said = "";
  child.stderr.on("data", (part) => (said += part));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (\S+)/.exec(line)?.[1];
    if (!url) continue;
    return {
      url,
      async stop() {
        child.kill();
        process.off("exit", end);
        await ended;
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }
  throw new Error(`${LOCAL} ended before it was ready: ${said}`);
}

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/** How long a condition may take to come true, in milliseconds: machines that run tests can be slow. */
const PATIENCE = 60_000;

/** The requests without an answer, by whose they are. @type {WeakMap<import("playwright-core").BrowserContext, Set<import("playwright-core").Request>>} */
const underWay = new WeakMap();

/**
 * A page that notes whatever should not happen.
 * @param {import("playwright-core").Browser} browser @param {Run} run @param {string} form
 * @param {{expect?: RegExp}} [options] what the console may say all the same
 */
export async function look(browser, run, form = "desk-light", { expect } = {}) {
  const context = await browser.newContext({
    ...FORMS[form],
    baseURL: run.url,
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  /** @type {Set<import("playwright-core").Request>} */
  const open = new Set();
  context.on("request", (request) => open.add(request));
  context.on("requestfinished", (request) => open.delete(request));
  context.on("requestfailed", (request) => open.delete(request));
  underWay.set(context, open);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  /** @type {string[]} */
  const wrong = [];
  page.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !expect?.test(text)) wrong.push(`${text} ${message.location().url}`);
  });
  page.on("pageerror", (error) => wrong.push(`${error.message} ${error.stack}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(run.url)) wrong.push(`a request elsewhere: ${request.url()}`);
  });
  return { page, context, wrong, holds: () => assert.deepEqual(wrong, []) };
}

/**
 * Asks the API past the page.
 * @param {Run} run @param {string} path @param {{method?: string, body?: any}} [options]
 */
export async function ask(run, path, { method = "GET", body } = {}) {
  const answer = await fetch(run.url + path, {
    method,
    headers: body ? { "content-type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

/** The places of all pages, in this run. @param {Run} run */
export async function places(run) {
  const first = async (/** @type {string} */ path, find = (/** @type {any} */ _) => true) => (await ask(run, path)).items.find(find);
  const snapshot = await first("/v1/snapshots?status=available&limit=50", (item) => item.origin === "schedule");
  const schedule = await first("/v1/schedules?limit=50", (item) => item.name.startsWith("Databases"));
  const sweep = await first("/v1/sweeps?limit=50", (item) => item.status === "needs_approval");
  const restore = await first("/v1/restores?limit=20", (item) => item.mode === "replace_volumes");
  const instance = await first("/v1/instances?q=customers-db&limit=50");
  const image = await first("/v1/images?limit=50");
  return {
    overview: "#/",
    snapshots: "#/snapshots",
    snapshot: `#/snapshots/${snapshot.id}`,
    drawer: `#/snapshots?open=${snapshot.id}`,
    instances: "#/instances",
    instance: `#/instances/${instance.id}`,
    schedules: "#/schedules",
    schedule: `#/schedules/${schedule.id}`,
    editor: `#/schedules/${schedule.id}/edit`,
    runs: "#/runs",
    sweeps: "#/sweeps",
    sweep: `#/sweeps/${sweep.id}`,
    restores: "#/restores",
    restore: `#/restores/${restore.id}`,
    images: "#/images",
    image: `#/images/${image.id}`,
    account: "#/account",
    money: "#/money",
    audit: "#/audit",
    settings: "#/settings",
  };
}

/** Goes to a place, and waits until nothing loads any more. @param {import("playwright-core").Page} page @param {string} place */
export async function visit(page, place) {
  await page.goto(`/${place}`);
  await settled(page);
}

/**
 * Waits until the place that is asked for is shown, and nothing loads any more: twice in a row with a frame between, for an
 * answer may lead to the next request.
 * @param {import("playwright-core").Page} page
 */
export async function settled(page) {
  const open = underWay.get(page.context());
  const deadline = Date.now() + PATIENCE;
  for (let calm = 0; calm < 2;) {
    await page.waitForFunction(() => {
      const here = (location.hash.replace(/^#/, "") || "/").split("?")[0];
      const shown = document.querySelector(".shell")?.getAttribute("data-place") === here && document.querySelector("h1");
      return shown && !document.querySelector("main .skeleton, main .waiting");
    });
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 25))));
    calm = open?.size ? 0 : calm + 1;
    assert.ok(Date.now() < deadline, `${page.url()} still waits for ${[...(open ?? [])].map((each) => each.url())}`);
  }
}

/** The example of an answer that the API's document has. @param {string} name */
export function example(name) {
  const all = JSON.parse(readFileSync(join(ROOT, "functions/api/src/openapi/examples.json"), "utf8"));
  assert.ok(all[name], `there is no example ${name}`);
  return Object.values(all[name].answers)[0];
}

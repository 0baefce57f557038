/** Signing in where a stack would: a hosted page, code with PKCE, tokens in memory only. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { launch, look, settled, start } from "./harness.js";

/** @type {import("./harness.js").Run} */
let run;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("node:http").Server} */
let hosted;
let origin = "";
/** @type {Record<string, string>[]} */
let asked = [];
let challenge = "";

before(async () => {
  hosted = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://hosted");
    if (url.pathname === "/oauth2/authorize") {
      const query = Object.fromEntries(url.searchParams);
      asked.push(query);
      challenge = query.code_challenge;
      const state = query.state;
      response.writeHead(302, { location: `${query.redirect_uri}?code=the-code&state=${state}` }).end();
      return;
    }
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const given = Object.fromEntries(new URLSearchParams(body));
      asked.push(given);
      const fits =
        createHash("sha256")
          .update(given.code_verifier ?? "")
          .digest("base64url") === challenge;
      response.writeHead(fits ? 200 : 400, { "content-type": "application/json", "access-control-allow-origin": "*" });
      response.end(JSON.stringify(fits ? { access_token: "the-token", refresh_token: "more", expires_in: 3600 } : { error: "invalid_grant" }));
    });
  });
  await new Promise((resolve) => hosted.listen(0, "127.0.0.1", () => resolve(null)));
  const address = /** @type {import("node:net").AddressInfo} */ (hosted.address());
  origin = `http://127.0.0.1:${address.port}`;
  run = await start([], { SNAPKEEP_SIGN_IN_URL: origin, SNAPKEEP_WEB_CLIENT_ID: "the-client", SNAPKEEP_PAGE_KIND: "deployed" });
  browser = await launch();
});
after(async () => {
  await browser.close();
  await run.stop();
  hosted.close();
});

/** A page that may talk to the sign-in as well. */
async function opened() {
  const seen = await look(browser, run);
  const elsewhere = () => seen.wrong.filter((each) => !each.includes(origin));
  return { ...seen, elsewhere };
}

test("m8_nothing_is_shown_before_somebody_has_signed_in_and_then_the_place_that_was_wanted", async () => {
  const { page, context, elsewhere } = await opened();
  asked = [];
  /** @type {(string | undefined)[]} */
  const tokens = [];
  page.on("request", (request) => {
    if (request.url().includes("/v1/")) tokens.push(request.headers().authorization);
  });
  await page.goto("/#/schedules");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Schedules" }).waitFor();
  await settled(page);

  const [authorize, exchange] = asked;
  assert.equal(authorize.response_type, "code");
  assert.equal(authorize.code_challenge_method, "S256");
  assert.equal(authorize.client_id, "the-client");
  assert.equal(exchange.grant_type, "authorization_code");
  assert.equal(exchange.code, "the-code");
  assert.ok(tokens.length > 0 && tokens.every((token) => token === "Bearer the-token"));
  assert.equal(new URL(page.url()).search, "");
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.doesNotMatch(kept, /the-token|more/);
  assert.deepEqual(elsewhere(), []);
  await page.reload();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  await context.close();
});

test("a_return_that_was_not_asked_for_is_refused", async () => {
  const { page, context } = await opened();
  await page.goto("/?code=stolen&state=guessed");
  await page.getByText("This sign-in was not begun here").waitFor();
  await context.close();
});

test("a_token_can_be_brought_where_the_sign_in_is_somebody_elses", async () => {
  const { page, context, elsewhere } = await opened();
  await page.goto("/#/settings");
  await page.getByLabel("Or bring an access token").fill("brought");
  const sent = page.waitForRequest((request) => request.url().endsWith("/v1/me"));
  await page.getByRole("button", { name: "Use it" }).click();
  assert.equal((await sent).headers().authorization, "Bearer brought");
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  assert.deepEqual(elsewhere(), []);
  await context.close();
});

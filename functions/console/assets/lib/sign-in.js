/** The hosted sign-in: code with PKCE. Tokens stay in the memory of this page. */

import { session } from "./session.js";

/** Goes to the hosted sign-in page. */
export async function signIn() {
  const verifier = random(48);
  const state = random(16);
  sessionStorage.setItem("snapkeep-sign-in", JSON.stringify({ verifier, state, place: location.hash }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: session.client,
    redirect_uri: home(),
    scope: "openid email profile",
    state,
    code_challenge_method: "S256",
    code_challenge: base64url(new Uint8Array(digest)),
  });
  location.assign(`${session.signInUrl}/oauth2/authorize?${query}`);
}

/** Takes up what the hosted page sent back, if this is such a return; throws what it says went wrong. */
export async function finishSignIn() {
  const query = new URLSearchParams(location.search);
  const kept = sessionStorage.getItem("snapkeep-sign-in");
  if (!query.has("code") && !query.has("error")) return;
  sessionStorage.removeItem("snapkeep-sign-in");
  const { verifier, state, place } = JSON.parse(kept ?? "{}");
  history.replaceState(null, "", `/${place ?? ""}`);
  if (query.has("error")) throw new Error(query.get("error_description") ?? query.get("error") ?? "The sign-in failed.");
  if (!verifier || query.get("state") !== state) throw new Error("This sign-in was not begun here. Please sign in again.");
  await exchange({
    grant_type: "authorization_code",
    code: query.get("code") ?? "",
    redirect_uri: home(),
    code_verifier: verifier,
  });
}

/** @param {Record<string, string>} what */
async function exchange(what) {
  const body = new URLSearchParams({ client_id: session.client, ...what });
  const response = await fetch(`${session.signInUrl}/oauth2/token`, {
    method: "POST",
    body,
  });
  if (!response.ok) throw new Error("The sign-in was not accepted. Please sign in again.");
  const tokens = await response.json();
  session.token = tokens.access_token;
  session.refreshToken = tokens.refresh_token ?? session.refreshToken;
  const seconds = Math.max(60, (tokens.expires_in ?? 3600) - 120);
  setTimeout(() => renew().catch(() => session.expired()), seconds * 1000);
}

async function renew() {
  if (!session.refreshToken) throw new Error("signed out");
  await exchange({
    grant_type: "refresh_token",
    refresh_token: session.refreshToken,
  });
}

/** Forgets the tokens, and has the sign-in forget the person. */
export function signOut() {
  session.token = null;
  session.refreshToken = null;
  const query = new URLSearchParams({
    client_id: session.client,
    logout_uri: home(),
  });
  location.assign(`${session.signInUrl}/logout?${query}`);
}

function home() {
  return `${location.origin}/`;
}

/** @param {number} length */
function random(length) {
  return base64url(crypto.getRandomValues(new Uint8Array(length)));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

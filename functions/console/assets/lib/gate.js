/** What somebody sees who has not signed in. */

import { h } from "./dom.js";
import { session } from "./session.js";
import { signIn } from "./sign-in.js";

/** @param {() => void} begin */
export function gate(begin) {
  const token = h("input", {
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    id: "token",
  });
  const bring = h(
    "form",
    {
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        session.token = token.value.trim() || null;
        if (session.token) begin();
      },
    },
    h("label", { for: "token" }, "Or bring an access token"),
    token,
    h("button", { class: "button" }, "Use it"),
  );
  return h(
    "main",
    { class: "alone", id: "content" },
    h("h1", null, "Snapkeep"),
    h("p", null, "Snapshots of your instances: what is safe, what goes, and how to get back."),
    session.signInUrl
      ? h("button", { type: "button", class: "button primary", onclick: signIn }, "Sign in")
      : h("p", { class: "note" }, "This stack's sign-in is not Cognito's: bring an access token of your provider."),
    bring,
    h("p", { class: "note" }, "Tokens are kept in the memory of this page only. They are gone when you close or reload it."),
  );
}

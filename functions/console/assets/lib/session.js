/** Who sits here: the role tried on one machine, or tokens of the hosted sign-in, kept in memory only. */

/** @param {string} name */
const meta = (name) => document.querySelector(`meta[name="snapkeep-${name}"]`)?.getAttribute("content") ?? "";

const ROLES = ["viewer", "operator", "admin"];

/** @typedef {"viewer" | "operator" | "admin"} Role */

class Session {
  kind = meta("kind") || "deployed";
  signInUrl = meta("sign-in");
  client = meta("client");
  /** @type {Role} */
  role = "viewer";
  /** The role that the caller really has. @type {Role} */
  given = "viewer";
  who = "";
  /** @type {string | null} */
  token = null;
  /** @type {string | null} */
  refreshToken = null;
  /** @type {Set<() => void>} */
  listeners = new Set();

  /** @returns {Record<string, string>} */
  headers() {
    if (this.token) return { authorization: `Bearer ${this.token}` };
    return this.role === this.given ? {} : { "x-snapkeep-role": this.role };
  }

  /** What the API says of the caller. @param {{who: string, role: Role}} me */
  is(me) {
    this.who = me.who;
    this.given = me.role;
    this.role = me.role;
    this.changed();
  }

  /** Tries a lower role; possible on one machine only. @param {Role} role */
  lower(role) {
    this.role = role;
    this.changed();
  }

  /** Whether the caller may do what needs this role. @param {Role} needed */
  may(needed) {
    return ROLES.indexOf(this.role) >= ROLES.indexOf(needed);
  }

  /** The roles that can be tried. @returns {Role[]} */
  roles() {
    return /** @type {Role[]} */ (ROLES.slice(0, ROLES.indexOf(this.given) + 1));
  }

  expired() {
    if (this.kind !== "deployed") return;
    this.token = null;
    this.changed();
  }

  get needsSignIn() {
    return this.kind === "deployed" && !this.token;
  }

  changed() {
    for (const listener of this.listeners) listener();
  }
}

export const session = new Session();

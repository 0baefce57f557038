/** Requests to the API: the token, the role that is tried, errors in words, the server's clock. */

import { heard } from "./clock.js";
import { session } from "./session.js";

/** What the API answered instead of what was wanted. */
export class Problem extends Error {
  /** @param {Record<string, any>} body @param {number} status */
  constructor(body, status) {
    super(body.detail ?? body.message ?? body.title ?? `The API answered ${status}.`);
    this.status = status;
    this.title = body.title ?? "That did not work";
    this.field = body.field ?? null;
    this.neededRole = body.needed_role ?? null;
    this.awsAction = body.aws_action ?? null;
    this.currentVersion = body.current_version ?? null;
    this.requestId = body.request_id ?? null;
  }
}

/** @typedef {{body?: any, ifMatch?: number | string, reason?: string, key?: string, signal?: AbortSignal}} Options */

/** What is done with a request, for the person who would rather do it by script. */
export const last = { method: "GET", path: "/v1/me", body: undefined };

/**
 * Asks the API; comes back with what it says, or throws a {@link Problem}.
 * @param {string} method @param {string} path @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function ask(method, path, options = {}) {
  const { text } = await send(method, path, options);
  return text ? JSON.parse(text) : null;
}

/**
 * The same with the text as it came, by which two answers are compared.
 * @param {string} method @param {string} path @param {Options} [options]
 */
export async function send(method, path, options = {}) {
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json", ...session.headers() };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  if (options.ifMatch !== undefined) headers["if-match"] = `"${options.ifMatch}"`;
  if (options.reason) headers["x-snapkeep-reason"] = encodeURI(options.reason).replaceAll("%20", " ");
  if (options.key) headers["idempotency-key"] = options.key;
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body,
      signal: options.signal,
      cache: "no-cache",
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(
      {
        title: "No answer",
        detail: "The API does not answer. Is the network up? It is tried again by itself.",
      },
      0,
    );
  }
  heard(response.headers);
  const text = await response.text();
  if (response.ok) return { text, status: response.status };
  if (response.status === 401) session.expired();
  throw new Problem(parsed(text), response.status);
}

/** @param {string} text @returns {Record<string, any>} */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { detail: "The API did not say what was wrong." };
  }
}

/** A key under which a request that is sent twice is done once. */
export function idempotencyKey() {
  return crypto.randomUUID();
}

/**
 * The same request for a terminal.
 * @param {string} method @param {string} path @param {any} [body] @param {{ifMatch?: number | string}} [options]
 */
export function curl(method, path, body, options = {}) {
  const parts = ["curl -s"];
  if (method !== "GET") parts.push(`-X ${method}`);
  parts.push(quoted(location.origin + path));
  if (session.kind === "deployed") parts.push('-H "authorization: Bearer $TOKEN"');
  if (options.ifMatch !== undefined) parts.push(`-H 'if-match: "${options.ifMatch}"'`);
  if (body !== undefined) {
    parts.push("-H 'content-type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  }
  return parts.join(" ");
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** @param {string} path @param {Record<string, any>} query */
export function withQuery(path, query) {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
  if (!text) return path;
  return path + (path.includes("?") ? "&" : "?") + text;
}

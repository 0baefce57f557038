// What a page does with the types that openapi-typescript makes: this must compile under strict settings.
import type { components, operations } from "./api";

type Snapshot = components["schemas"]["Snapshot"];

// Always sent, and null where there is nothing: one kind of nothing.
export const completed = (snapshot: Snapshot): string | null => snapshot.completed_at;
export const names = (list: components["schemas"]["SnapshotList"]): string[] => list.items.map((one) => one.name);

// The variants of a choice are told apart by their type.
export const kept = (gone: components["schemas"]["WhenGone"]): number =>
  gone.type === "keep_last" ? gone.count : gone.type === "keep_all" ? Infinity : 0;

// A word that is none does not compile.
export const filter: operations["list_snapshots"]["parameters"]["query"] = { status: ["error", "missing"], include: ["fate"] };
// @ts-expect-error
export const typo: operations["list_snapshots"]["parameters"]["query"] = { status: ["broken"] };

export const isStale = (problem: components["schemas"]["Problem"]): boolean =>
  problem.type === "urn:snapkeep:problem:stale";

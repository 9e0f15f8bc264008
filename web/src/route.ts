/** The address after `#`: every run, solution, step and vote has one. */

import type { Query } from "./types";

export type Route =
  | { page: "runs" }
  | { page: "list"; run: number; query: Query }
  | { page: "solution"; run: number; index: number; step: number | null; vote: number | null; query: Query }
  | { page: "compare"; a: number; b: number }
  | { page: "pair"; a: number; b: number; left: number; right: number }
  | { page: "try" }
  | { page: "corrections"; run: number };

export const NO_QUERY: Query = {
  q: "",
  within: "",
  verdict: "",
  wrong: false,
  disagree: false,
  abstained: false,
  code_failed: false,
  failed: false,
  low: "",
  high: "",
  of: "any",
  sort: "number",
  descending: false,
};

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean);
  const numbers = parts.slice(1).map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : null));
  const [first = null, second = null, third = null, fourth = null] = numbers;
  switch (parts[0]) {
    case "r":
      if (first === null) return { page: "runs" };
      if (second === null) return { page: "list", run: first, query: parseQuery(search) };
      return {
        page: "solution",
        run: first,
        index: second,
        step: third,
        vote: third === null ? null : fourth,
        query: parseQuery(search),
      };
    case "compare":
      if (first === null || second === null) return { page: "compare", a: 0, b: 1 };
      if (third === null || fourth === null) return { page: "compare", a: first, b: second };
      return { page: "pair", a: first, b: second, left: third, right: fourth };
    case "try":
      return { page: "try" };
    case "corrections":
      return { page: "corrections", run: first ?? 0 };
    default:
      return { page: "runs" };
  }
}

export function listLink(run: number, query: Query = NO_QUERY): string {
  return `#/r/${run}${suffix(query)}`;
}

export function solutionLink(
  run: number,
  index: number,
  step: number | null = null,
  vote: number | null = null,
  query: Query = NO_QUERY,
): string {
  const steps = step === null ? "" : `/${step}${vote === null ? "" : `/${vote}`}`;
  return `#/r/${run}/${index}${steps}${suffix(query)}`;
}

export function queryParameters(query: Query): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== NO_QUERY[name as keyof Query]) parameters.set(name, String(value));
  }
  return parameters;
}

function suffix(query: Query): string {
  const text = queryParameters(query).toString();
  return text ? `?${text}` : "";
}

function parseQuery(search: string): Query {
  const given = new URLSearchParams(search);
  const query: Record<string, string | boolean> = { ...NO_QUERY };
  for (const [name, value] of given) {
    if (!Object.hasOwn(NO_QUERY, name)) continue;
    query[name] = typeof NO_QUERY[name as keyof Query] === "boolean" ? value === "true" : value;
  }
  return query as unknown as Query;
}

import { describe, expect, it } from "vitest";

import { passes, words } from "../src/bundle";
import { lines, tokens } from "../src/python";
import { listLink, NO_QUERY, parseRoute, solutionLink } from "../src/route";
import { isSendable } from "../src/key";
import { further } from "../src/live";
import { parseEvents } from "../src/server";
import { segments } from "../src/text";
import { visible } from "../src/visible";
import { layout } from "../src/tree";
import type { Summary } from "../src/types";

describe("text", () => {
  it("finds formulas and leaves prices alone", () => {
    const kinds = (text: string) => segments(text).map((segment) => `${segment.kind}:${segment.text}`);
    expect(kinds("so $2 + 3 = 5$ holds")).toEqual(["text:so ", "math:2 + 3 = 5", "text: holds"]);
    expect(kinds("costs $5 and $6 more")).toEqual(["text:costs $5 and $6 more"]);
    expect(kinds("\\[x\\] `a` **b**")).toEqual(["math:x", "text: ", "code:a", "text: ", "bold:b"]);
    expect(kinds("\\boxed{\\frac{1}{2}}")).toEqual(["math:\\boxed{\\frac{1}{2}}"]);
  });

  it("shows what turns text around", () => {
    expect(visible("a\u202eb\u0000")).toBe("a⟨U+202E⟩b⟨U+0000⟩");
    expect(visible("tab\tline\n")).toBe("tab\tline\n");
  });
});

describe("code", () => {
  it("gives every text back whole", () => {
    for (const code of ["print('a\nb", "x = 1e-6 # c", '"""a\nb"""', "<script>", "ü = 'é'"]) {
      expect(tokens(code).map((token) => token.text).join("")).toBe(code);
      expect(lines(code).map((row) => row.map((token) => token.text).join("")).join("\n")).toBe(code);
    }
  });
});

describe("addresses", () => {
  it("go round", () => {
    const query = { ...NO_QUERY, q: 'a "b" & c', wrong: true, low: "0.5" };
    expect(parseRoute(solutionLink(1, 22, 3, 4, query))).toEqual({
      page: "solution", run: 1, index: 22, step: 3, vote: 4, query,
    });
    expect(parseRoute(listLink(2))).toEqual({ page: "list", run: 2, query: NO_QUERY });
    expect(parseRoute("#/r/x/<script>")).toEqual({ page: "runs" });
  });
});

describe("data", () => {
  it("reads events as they arrive", () => {
    const { events, rest } = parseEvents('event: done\ndata: {"judged": 2}\n\nevent: st');
    expect(events).toEqual([{ name: "done", judged: 2 }]);
    expect(rest).toBe("event: st");
  });

  it("filters an exported list as the server does", () => {
    const row = { first_error: -1, kind: "solution", rewards: [0.9, 0.4], wrong: null, lowest: 0.4, disagreement: 0.2, abstained: 0, code_failed: 0, failed: null } as Summary;
    expect(passes(row, { ...NO_QUERY, verdict: "correct", disagree: true, low: "0.3", high: "0.5" })).toBe(true);
    expect(passes(row, { ...NO_QUERY, wrong: true })).toBe(false);
    expect(passes(row, { ...NO_QUERY, low: "0.8" })).toBe(true);
    expect(passes(row, { ...NO_QUERY, low: "0.8", of: "lowest" })).toBe(false);
    expect(words('Two "exact words"')).toEqual(["two", "exact words"]);
  });

  it("keeps the text of a vote whose code is running", () => {
    const written = { step: 0, index: 1, text: "I add.", running: null, vote: null };
    const [vote] = further([written], { ...written, text: "", running: "print(2)" });
    expect(vote).toEqual({ ...written, running: "print(2)" });
    expect(further([written], { ...written, index: 0 }).map((own) => own.index)).toEqual([0, 1]);
  });

  it("takes only keys that a header can carry", () => {
    expect(isSendable("abc-123")).toBe(true);
    expect(isSendable("schlüssel") || isSendable("a b") || isSendable("")).toBe(false);
  });

  it("lays a broken tree out without end", () => {
    const node = (id: number, parent: number) => ({ id, parent, step: id - 1, value: null, complete: false, kept: true, on_choice: false });
    expect(layout([node(1, 2), node(2, 1), node(3, 99)]).placed.size).toBe(3);
  });
});

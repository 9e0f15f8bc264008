/** A small tokenizer of Python, for colours only: any text comes back whole. */

export interface Token {
  kind: "text" | "keyword" | "string" | "number" | "comment" | "builtin" | "call";
  text: string;
}

const KEYWORDS = new Set(
  ("and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
);
const BUILTINS = new Set(
  ("True False None print abs len sum range round int float str list dict set tuple min max all any " +
    "sorted enumerate zip map isinstance").split(" "),
);
const TOKEN =
  /(#[^\n]*)|([rbfuRBFU]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))|(\b\d[\w.]*)|([\p{L}_][\p{L}\p{N}_]*)(?=(\s*\()?)/gu;

export function tokens(code: string): Token[] {
  const found: Token[] = [];
  let end = 0;
  for (const match of code.matchAll(TOKEN)) {
    if (match.index > end) found.push({ kind: "text", text: code.slice(end, match.index) });
    const [text, comment, string, number, name, call] = match;
    let kind: Token["kind"] = "text";
    if (comment) kind = "comment";
    else if (string) kind = "string";
    else if (number) kind = "number";
    else if (name && KEYWORDS.has(name)) kind = "keyword";
    else if (name && BUILTINS.has(name)) kind = "builtin";
    else if (call) kind = "call";
    found.push({ kind, text });
    end = match.index + text.length;
  }
  if (end < code.length) found.push({ kind: "text", text: code.slice(end) });
  return found;
}

/** The same tokens, line by line; a string over several lines is cut at their ends. */
export function lines(code: string): Token[][] {
  const rows: Token[][] = [[]];
  for (const token of tokens(code)) {
    token.text.split("\n").forEach((part, index) => {
      if (index) rows.push([]);
      if (part) rows[rows.length - 1]!.push({ kind: token.kind, text: part });
    });
  }
  return rows;
}

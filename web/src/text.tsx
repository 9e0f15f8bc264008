/** Text that models and people wrote, as DOM nodes: nothing of it is ever read as HTML. */

import { useState } from "preact/hooks";

import { Formula } from "./math";
import { visible } from "./visible";

export type Segment =
  | { kind: "text" | "code" | "bold"; text: string }
  | { kind: "math"; text: string; display: boolean };

const SHOWN = 12_000; // characters shown before "Show all"

const PATTERN = new RegExp(
  [
    String.raw`\$\$([\s\S]+?)\$\$`,
    String.raw`\\\[([\s\S]+?)\\\]`,
    String.raw`\\\(([\s\S]+?)\\\)`,
    String.raw`\$(?!\s|\d[\d,.]*\s+[A-Za-z]{2,})((?:\\.|[^$\\\n])*(?:\\.|[^$\\\s]))\$(?!\d)`,
    String.raw`(\\boxed\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*\})`,
    "`([^`\\n]+)`",
    String.raw`\*\*([^*\n]+)\*\*`,
  ].join("|"),
  "g",
);

/** Formulas, inline code and bold words apart from the rest. */
export function segments(text: string): Segment[] {
  const found: Segment[] = [];
  let end = 0;
  for (const match of text.matchAll(PATTERN)) {
    if (match.index > end) found.push({ kind: "text", text: text.slice(end, match.index) });
    const [, double, square, round, dollar, boxed, code, bold] = match;
    const formula = double ?? square ?? round ?? dollar ?? boxed;
    if (formula !== undefined) {
      found.push({ kind: "math", text: formula, display: (double ?? square) !== undefined });
    } else found.push({ kind: code === undefined ? "bold" : "code", text: (code ?? bold)! });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ kind: "text", text: text.slice(end) });
  return found;
}

export function Prose({ text, class: name = "" }: { text: string; class?: string }) {
  const [all, setAll] = useState(false);
  const shown = all ? text : text.slice(0, SHOWN);
  return (
    <div class={`prose ${name}`} dir="auto">
      {segments(shown).map((segment) => {
        switch (segment.kind) {
          case "math":
            return <Formula text={segment.text} display={segment.display} />;
          case "code":
            return <code>{visible(segment.text)}</code>;
          case "bold":
            return <strong>{visible(segment.text)}</strong>;
          default:
            return visible(segment.text);
        }
      })}
      {shown.length < text.length && (
        <button type="button" class="quiet" onClick={() => setAll(true)}>
          Show all {text.length.toLocaleString("en")} characters
        </button>
      )}
    </div>
  );
}

/** One vote: what it said, the code it ran, what that printed, and what decided it. */

import { useRef } from "preact/hooks";

import { lines } from "./python";
import { Prose } from "./text";
import { visible } from "./visible";
import type { CodeRun, Evidence, Vote } from "./types";
import { band, number, Verdict } from "./ui";

const LONGEST = 20_000; // characters of code or output that are shown

export function VoteCard({ vote, index, link, chosen }: { vote: Vote; index: number; link: string; chosen: boolean }) {
  const card = useRef<HTMLElement>(null);
  const show = (selector: string) => {
    const node = card.current?.querySelector<HTMLElement>(selector);
    node?.scrollIntoView({ block: "center", behavior: "smooth" });
    node?.focus({ preventScroll: true });
  };
  const { evidence } = vote;
  const textless = !vote.analysis && vote.runs.length === 0 && !vote.text;
  return (
    <article ref={card} class={`vote ${band(vote.reward)} ${chosen ? "chosen" : ""}`} aria-label={`Vote ${index + 1}`}>
      <header class="vote-head">
        <a href={link} class="vote-name">
          {vote.author === "teacher" ? `Critique ${index + 1}` : `Vote ${index + 1}`}
        </a>
        <Verdict label={vote.label} />
        {vote.reward !== null && <Meter reward={vote.reward} />}
      </header>
      {vote.cause && <p class="message error">This vote failed: {visible(vote.cause)}</p>}
      {evidence && (
        <p class="evidence" tabIndex={-1}>
          Decided by{" "}
          <button type="button" class="trail" onClick={() => show(".decisive-output")}>
            <code>{visible((vote.runs[evidence.run]?.output.split("\n")[evidence.output_line] ?? "").slice(evidence.start, evidence.end))}</code>{" "}
            in the output
          </button>
          {evidence.code_line !== null && (
            <>
              {", printed by "}
              <button type="button" class="trail" onClick={() => show(".decisive-line")}>
                line {evidence.code_line + 1} of the code
              </button>
            </>
          )}
        </p>
      )}
      {vote.analysis && <Prose text={vote.analysis} class="analysis" />}
      {vote.runs.map((run, place) => (
        <Block
          run={run}
          evidence={evidence?.run === place ? evidence : null}
          toVerdict={() => show(".evidence")}
          toOutput={() => show(".decisive-output")}
          toLine={() => show(".decisive-line")}
        />
      ))}
      {!textless && vote.text && (
        <details class="whole">
          <summary>{vote.author === "teacher" ? "What it said after the code" : "The whole turn as it was written"}</summary>
          <pre dir="auto" tabIndex={0}>{visible(vote.text.slice(0, 200_000))}</pre>
        </details>
      )}
      {vote.review_at !== null && (
        <p class="faint">The whole review, of which this is a part, stands with step {vote.review_at + 1}.</p>
      )}
      {textless && vote.review_at === null && !vote.cause && (
        <p class="faint">This command stores rewards only, not what the votes said.</p>
      )}
      <footer class="vote-foot">
        {vote.flags.map((flag) => (
          <span class="badge">{visible(flag.replaceAll("_", " "))}</span>
        ))}
        {vote.label_mass !== null && <span>P(Yes) + P(No) = {number(vote.label_mass, 3)}</span>}
        {vote.usage.tokens_out > 0 && <span>{vote.usage.tokens_out.toLocaleString("en")} tokens</span>}
        {vote.usage.seconds > 0 && <span>{vote.usage.seconds.toFixed(1)} s</span>}
      </footer>
    </article>
  );
}

function Meter({ reward }: { reward: number }) {
  return (
    <span class="meter-line">
      <span class="meter" aria-hidden="true">
        <span class="fill" style={{ width: `${reward * 100}%` }} />
      </span>
      <span class="figure" title={`P(Yes) ${reward}`}>
        P(Yes) {number(reward, 3)}
      </span>
    </span>
  );
}

interface BlockProperties {
  run: CodeRun;
  evidence: Evidence | null;
  toVerdict: () => void;
  toOutput: () => void;
  toLine: () => void;
}

function Block({ run, evidence, toVerdict, toOutput, toLine }: BlockProperties) {
  const code = lines(run.code.slice(0, LONGEST));
  const output = run.output.slice(0, LONGEST).split("\n");
  return (
    <div class="block">
      <ol class="code" tabIndex={0} aria-label="Code that was run">
        {code.map((tokens, index) => {
          const decisive = evidence?.code_line === index;
          return (
            <li class={decisive ? "decisive-line" : ""} tabIndex={decisive ? -1 : undefined}>
              <code>
                {tokens.map((token) => (
                  <span class={`t-${token.kind}`}>{visible(token.text)}</span>
                ))}
              </code>
              {decisive && (
                <button type="button" class="hop" onClick={toOutput}>
                  → output
                </button>
              )}
            </li>
          );
        })}
      </ol>
      <div class={`output status-${run.status === "ok" || run.status === "not_run" ? "ok" : "failed"}`}>
        <span class="output-name">
          {run.status === "not_run" ? "not run" : run.status === "ok" ? "output" : `output, ${visible(run.status.slice(0, 200).replaceAll("_", " "))}`}
        </span>
        <pre tabIndex={0} aria-label="What the code printed">
          {output.map((line, index) => {
            const end = index + 1 < output.length ? "\n" : "";
            if (evidence?.output_line !== index) return visible(line) + end;
            return (
              <>
                {visible(line.slice(0, evidence.start))}
                <mark class="decisive-output" tabIndex={-1}>
                  {visible(line.slice(evidence.start, evidence.end))}
                </mark>
                {visible(line.slice(evidence.end))}
                {end}
              </>
            );
          })}
          {run.output === "" && run.status !== "not_run" && <span class="faint">(nothing)</span>}
        </pre>
        {evidence && (
          <span class="hops">
            {evidence.code_line !== null && (
              <button type="button" class="hop" onClick={toLine}>
                ← code line
              </button>
            )}
            <button type="button" class="hop" onClick={toVerdict}>
              ↑ verdict
            </button>
          </span>
        )}
      </div>
      {(run.code.length > LONGEST || run.output.length > LONGEST) && (
        <p class="faint">Only the first {LONGEST.toLocaleString("en")} characters are shown.</p>
      )}
    </div>
  );
}

/** A problem with many solutions: their rewards at a glance, the chosen one first. */

import { useState } from "preact/hooks";

import { Steps } from "./solution";
import type { StepActions } from "./step";
import { Prose } from "./text";
import type { Candidate, Document } from "./types";
import { Shown, Strip, Verdict } from "./ui";

interface Properties {
  row: Document;
  step: number | null;
  vote: number | null;
  actions: StepActions | null;
}

export function Pool({ row, step, vote, actions }: Properties) {
  const holder = step === null ? -1 : row.candidates.findIndex((candidate) => candidate.steps.includes(step));
  const chosen = row.candidates.findIndex((candidate) => candidate.chosen);
  const [opened, setOpened] = useState(Math.max(0, chosen));
  const current = holder >= 0 && !row.candidates[opened]?.steps.includes(step!) ? holder : opened;
  const candidate = row.candidates[current];
  if (!candidate) return <p class="faint">No solution was sampled.</p>;
  return (
    <div class="pool">
      <ol class="candidates" aria-label="Candidates">
        {row.candidates.map((own, at) => (
          <li>
            <button
              type="button"
              class={`candidate ${at === current ? "current" : ""}`}
              aria-pressed={at === current}
              onClick={() => {
                setOpened(at);
                if (step !== null && actions) location.hash = actions.link(null, null);
              }}
            >
              <CandidateLine row={row} candidate={own} at={at} />
            </button>
          </li>
        ))}
      </ol>
      <section aria-label={`Candidate ${current + 1}`}>
        <h2>Candidate {current + 1}</h2>
        {candidate.steps.length ? (
          <Steps row={row} numbers={candidate.steps} step={step} vote={vote} actions={actions} error={error(row, candidate)} />
        ) : (
          <Prose text={candidate.text} />
        )}
      </section>
    </div>
  );
}

function error(row: Document, candidate: Candidate): number | null {
  const at = candidate.steps.findIndex((step) => row.steps[step]?.label === false);
  return at < 0 ? null : at;
}

export function CandidateLine({ row, candidate, at }: { row: Document; candidate: Candidate; at: number }) {
  return (
    <>
      <span class="candidate-name">{at + 1}</span>
      <Strip rewards={candidate.steps.map((step) => row.steps[step]?.reward ?? null)} error={error(row, candidate)} />
      <span class="candidate-answer">
        <Shown>{candidate.answer ?? "no answer"}</Shown>
      </span>
      {candidate.correct !== null && (
        <Verdict label={candidate.correct} name={candidate.correct ? "right" : "wrong"} />
      )}
      {candidate.chosen && <span class="badge strong">chosen</span>}
      {candidate.chosen_by.filter((name) => name !== "").map((name) => (
        <span class="badge">{name.replaceAll("_", " ")}</span>
      ))}
    </>
  );
}

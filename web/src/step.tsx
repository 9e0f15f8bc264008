/** One step of a solution: its text and reward; opened, its votes side by side. */

import { useEffect, useRef } from "preact/hooks";

import { CorrectionForm } from "./correct";
import { Prose } from "./text";
import type { Correction, Step } from "./types";
import { band, number, tally, Verdict } from "./ui";
import { visible } from "./visible";
import { VoteCard } from "./vote";

export interface StepActions {
  link: (step: number | null, vote: number | null) => string;
  correction: (step: number) => Correction | undefined;
  onCorrected: () => void;
  correcting: number | null;
  setCorrecting: (step: number | null) => void;
  run: number;
  index: number;
}

interface Properties {
  step: Step;
  number: number; // its index in the document
  place: number; // in its solution, from 1
  open: boolean;
  current: boolean;
  vote: number | null;
  truth: boolean | null; // people's label
  first: boolean; // the first error
  actions: StepActions | null;
}

export function StepCard(properties: Properties) {
  const { step, number: index, place, open, current, vote, truth, first, actions } = properties;
  const card = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (!current || !card.current) return;
    const chosen = vote === null ? null : card.current.querySelectorAll(".vote")[vote];
    (chosen ?? card.current).scrollIntoView({ block: chosen ? "center" : "nearest" });
    const holds = card.current.contains(document.activeElement);
    if (!holds) card.current.querySelector<HTMLElement>(".step-toggle")?.focus({ preventScroll: true });
  }, [current, vote]);
  const correction = actions?.correction(index);
  const name = step.judged ? undefined : "not judged";
  return (
    <li ref={card} class={`step ${band(step.reward)} ${current ? "current" : ""} ${first ? "is-first" : ""}`}>
      <div class="step-head">
        {actions ? (
          <a
            class="step-toggle"
            href={actions.link(open ? null : index, null)}
            role="button"
            aria-expanded={open}
            aria-label={`Step ${place}, ${name ?? (step.label === null ? "no label" : step.label ? "correct" : "incorrect")}, ${step.votes.length} votes`}
          >
            <span class="step-number">Step {place}</span>
          </a>
        ) : (
          <span class="step-number">Step {place}</span>
        )}
        <Verdict label={step.label} reward={step.reward} {...(name ? { name } : {})} />
        {step.votes.length > 0 && step.votes[0]?.author === "verifier" && <span class="tally">{tally(step)}</span>}
        {step.mc !== null && <span class="tally">MC score {number(step.mc)}</span>}
        {step.progress !== null && <span class="tally">progress {number(step.progress)}</span>}
        {first && <span class="badge strong">first error</span>}
        {truth !== null && truth !== step.label && <span class="badge against">people say {truth ? "correct" : "incorrect"}</span>}
        {correction && (
          <span class="badge corrected">corrected: {correction.label ? "correct" : "incorrect"}</span>
        )}
      </div>
      <Prose text={step.text} class="step-text" />
      {open && actions && (
        <div class="step-body">
          {step.votes.length === 0 && <p class="faint">No vote was cast on this step.</p>}
          {step.model && <p class="faint">Judged by {visible(step.model)}.</p>}
          <div class="votes">
            {step.votes.map((own, at) => (
              <VoteCard vote={own} index={at} link={actions.link(index, at)} chosen={vote === at} />
            ))}
          </div>
          {step.screening && (
            <details class="whole">
              <summary>The cheap judge before: {number(step.screening.reward)}, {tally(step.screening)}</summary>
              <div class="votes">
                {step.screening.votes.map((own, at) => (
                  <VoteCard vote={own} index={at} link={actions.link(index, null)} chosen={false} />
                ))}
              </div>
            </details>
          )}
          <CorrectionForm step={step} index={index} vote={vote} actions={actions} />
        </div>
      )}
    </li>
  );
}

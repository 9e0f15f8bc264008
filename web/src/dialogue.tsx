/** A refinement as the dialogue that it was: the policy's answers, and the critic's words between. */

import { Steps } from "./solution";
import type { StepActions } from "./step";
import { Prose } from "./text";
import type { Document } from "./types";
import { number, Verdict } from "./ui";

interface Properties {
  row: Document;
  step: number | null;
  vote: number | null;
  actions: StepActions | null;
}

export function Dialogue({ row, step, vote, actions }: Properties) {
  return (
    <ol class="dialogue">
      {row.turns.map((turn, at) => (
        <li>
          {turn.request !== null && (
            <section class="said critic" aria-label={`The critic before turn ${at + 1}`}>
              <h2>Critic</h2>
              <Prose text={turn.request} />
            </section>
          )}
          <section class={`said policy ${turn.chosen ? "chosen" : ""}`} aria-label={`The policy, turn ${at + 1}`}>
            <h2>
              Policy, turn {at + 1}
              {turn.chosen && <span class="badge strong">given as answer</span>}
              {turn.correct !== null && (
                <Verdict label={turn.correct} name={turn.correct ? "answer is right" : "answer is wrong"} />
              )}
              {turn.score !== null && <span class="tally">score {number(turn.score)}</span>}
            </h2>
            {turn.steps.length ? (
              <Steps row={row} numbers={turn.steps} step={step} vote={vote} actions={actions} error={turn.first_error} />
            ) : (
              <Prose text={turn.text} />
            )}
          </section>
        </li>
      ))}
    </ol>
  );
}

/** Try it: paste a solution, look at its steps and change them, and watch it being judged. */

import { useEffect, useRef, useState } from "preact/hooks";

import { NeedsKey } from "./key";
import { useKeys } from "./keys";
import { Prose } from "./text";
import { visible } from "./visible";
import type { Step, VoteProgress } from "./types";
import { band, Message, tally, useEverywhere, Verdict } from "./ui";
import { VoteCard } from "./vote";

type State = "writing" | "splitting" | "running" | "done" | "stopped";

const EXAMPLE = {
  problem: "Evaluate ((-1 - 9 + 5 * 9) * (-3 - -8 + 6)).",
  solution:
    'This equation can be written as "A * B", where A = (-1 - 9 + 5 * 9) and B = (-3 - -8 + 6).\n\n' +
    "Let's calculate A = ((-1) - 9 + 5 * 9) = 35.\n\nLet's calculate B = ((-3) - (-8) + 6) = (3 + 6) = 9.\n\n" +
    "Then, the final equation is A * B = (35 * 9) = 315. So the answer is \\boxed{315}",
};

export function TryView() {
  const { source, meta, fail: refuse } = useEverywhere();
  const [problem, setProblem] = useState("");
  const [solution, setSolution] = useState("");
  const [steps, setSteps] = useState<string[]>([]);
  const [votes, setVotes] = useState(2);
  const [judged, setJudged] = useState<Step[]>([]);
  const [casting, setCasting] = useState<VoteProgress[]>([]); // the votes on the step that is being judged
  const [state, setState] = useState<State>("writing");
  const [error, setError] = useState<string | null>(null);
  const [model, setModel] = useState("");
  const stop = useRef<AbortController | null>(null);

  useEffect(() => () => stop.current?.abort(), []);
  useKeys({ Escape: () => (state === "running" ? stop.current?.abort() : (location.hash = "#/")) });

  const fail = (failure: unknown) =>
    failure instanceof NeedsKey ? refuse(failure) : setError(String((failure as Error).message ?? failure));
  const split = async () => {
    setError(null);
    try {
      setSteps(await source.split(solution));
      setJudged([]);
      setState("splitting");
    } catch (failure) {
      fail(failure);
    }
  };
  const run = async () => {
    const abort = new AbortController();
    stop.current = abort;
    setError(null);
    setJudged([]);
    setCasting([]);
    setModel("");
    setState("running");
    let over = false;
    try {
      await source.live(problem, steps, votes, (event) => {
        if (event.name === "begin") setModel(event.model);
        if (event.name === "vote") setCasting((known) => further(known, event));
        if (event.name === "step") {
          setJudged((known) => [...known, event.step]);
          setCasting([]);
        }
        if (event.name === "done") over = true;
        if (event.name === "error") setError(event.error);
      }, abort.signal);
      setState(over ? "done" : "stopped");
    } catch (failure) {
      if (!abort.signal.aborted) fail(failure);
      setState("stopped");
    }
  };

  if (!meta.live) {
    return (
      <main class="narrow">
        <h1>Try it</h1>
        <Message kind="note">
          This page has no model. Open it with <code>genprm view</code>, without <code>--no-live</code>.
        </Message>
      </main>
    );
  }
  const running = state === "running";
  return (
    <main class="try">
      <h1>Try it</h1>
      <form
        class="try-form"
        onSubmit={(event) => {
          event.preventDefault();
          void split();
        }}
      >
        <label>
          Problem
          <textarea id="problem" rows={3} required value={problem} onInput={(e) => setProblem(e.currentTarget.value)} />
        </label>
        <label>
          Solution
          <textarea
            id="solution"
            rows={8}
            required
            value={solution}
            onInput={(e) => setSolution(e.currentTarget.value)}
          />
        </label>
        <div class="buttons">
          <button class="button" type="submit" disabled={running}>
            Split into steps
          </button>
          <button
            class="button quiet"
            type="button"
            disabled={running}
            onClick={() => {
              setProblem(EXAMPLE.problem);
              setSolution(EXAMPLE.solution);
            }}
          >
            Fill in an example
          </button>
        </div>
      </form>
      {error && <Message kind="error">{error}</Message>}
      {steps.length > 0 && (
        <section class="try-steps" aria-label="Steps">
          <div class="try-bar">
            <h2>{steps.length === 1 ? "One step" : `${steps.length} steps`}</h2>
            <label class="votes-field">
              votes{" "}
              <input
                type="number"
                min="1"
                max="16"
                value={votes}
                disabled={running}
                onChange={(e) => setVotes(Math.max(1, Math.min(16, Number(e.currentTarget.value) || 1)))}
              />
            </label>
            {running ? (
              <button class="button stop" type="button" onClick={() => stop.current?.abort()}>
                Stop
              </button>
            ) : (
              <button class="button primary" type="button" disabled={!problem.trim()} onClick={() => void run()}>
                Verify
              </button>
            )}
            <p role="status" class="faint">
              {running &&
                (model
                  ? `${model} is judging step ${Math.min(judged.length + 1, steps.length)} of ${steps.length}…`
                  : "Waiting for the model…")}
              {state === "done" && `Judged by ${model}.`}
              {state === "stopped" && `Stopped after ${judged.length} of ${steps.length} steps.`}
            </p>
          </div>
          <ol class="steps">
            {steps.map((text, at) =>
              judged[at] ? (
                <LiveStep step={judged[at]} at={at} />
              ) : running ? (
                <li class={`step band-none ${at === judged.length ? "working" : ""}`}>
                  <div class="step-head">
                    <span class="step-number">Step {at + 1}</span>
                  </div>
                  <Prose text={text} class="step-text" />
                  {at === judged.length && casting.length > 0 && (
                    <div class="votes casting">
                      {casting.map((vote) => (
                        <CastingVote vote={vote} />
                      ))}
                    </div>
                  )}
                </li>
              ) : (
                <EditStep text={text} at={at} steps={steps} setSteps={setSteps} />
              ),
            )}
          </ol>
        </section>
      )}
    </main>
  );
}

function LiveStep({ step, at }: { step: Step; at: number }) {
  return (
    <li class={`step ${band(step.reward)}`}>
      <div class="step-head">
        <span class="step-number">Step {at + 1}</span>
        <Verdict label={step.label} reward={step.reward} />
        <span class="tally">{tally(step)}</span>
      </div>
      <Prose text={step.text} class="step-text" />
      <details class="whole" open={step.label === false}>
        <summary>The votes</summary>
        <div class="votes">
          {step.votes.map((vote, index) => (
            <VoteCard vote={vote} index={index} link="#/try" chosen={false} />
          ))}
        </div>
      </details>
    </li>
  );
}

/** The known votes with one that has come further; while code runs, its text stays. */
export function further(known: VoteProgress[], event: VoteProgress): VoteProgress[] {
  const before = known.find((vote) => vote.index === event.index);
  const vote = event.running !== null && before ? { ...event, text: before.text } : event;
  return [...known.filter((other) => other.index !== event.index), vote].sort((a, b) => a.index - b.index);
}

function CastingVote({ vote }: { vote: VoteProgress }) {
  if (vote.vote) return <VoteCard vote={vote.vote} index={vote.index} link="#/try" chosen={false} />;
  return (
    <article class="vote band-none" aria-label={`Vote ${vote.index + 1}`}>
      <header class="vote-head">
        <span class="vote-name">Vote {vote.index + 1}</span>
        <span class="faint pulse">{vote.running !== null ? "running code…" : "writing…"}</span>
      </header>
      {vote.text.trim() && (
        <pre class="so-far" dir="auto" tabIndex={0}>
          {visible(vote.text.trim().slice(-4_000))}
        </pre>
      )}
    </article>
  );
}

interface EditProperties {
  text: string;
  at: number;
  steps: string[];
  setSteps: (steps: string[]) => void;
}

function EditStep({ text, at, steps, setSteps }: EditProperties) {
  const area = useRef<HTMLTextAreaElement>(null);
  const replace = (count: number, ...by: string[]) =>
    setSteps([...steps.slice(0, at), ...by.filter((part) => part.trim()), ...steps.slice(at + count)]);
  const cut = () => {
    const place = area.current?.selectionStart ?? 0;
    replace(1, text.slice(0, place), text.slice(place));
  };
  return (
    <li class="step band-none editing">
      <div class="step-head">
        <span class="step-number">Step {at + 1}</span>
        <span class="spacer" />
        <button class="button quiet" type="button" onClick={cut}>
          Split at cursor
        </button>
        {at > 0 && (
          <button
            class="button quiet"
            type="button"
            onClick={() => setSteps([...steps.slice(0, at - 1), `${steps[at - 1]}\n\n${text}`, ...steps.slice(at + 1)])}
          >
            Join with the step before
          </button>
        )}
        <button class="button quiet" type="button" onClick={() => replace(1)}>
          Remove
        </button>
      </div>
      <textarea
        ref={area}
        rows={Math.min(12, Math.max(2, Math.ceil(text.length / 80)))}
        aria-label={`Step ${at + 1}`}
        value={text}
        onInput={(event) => {
          const next = [...steps];
          next[at] = event.currentTarget.value;
          setSteps(next);
        }}
      />
    </li>
  );
}

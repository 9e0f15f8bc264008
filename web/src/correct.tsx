/** A person's correction of a step: the label, and why. */

import { useEffect, useRef, useState } from "preact/hooks";

import { useKeys } from "./keys";
import { listLink, solutionLink } from "./route";
import type { StepActions } from "./step";
import type { Label, Step } from "./types";
import { Message, Shown, useEverywhere, useLoaded, Verdict, word } from "./ui";

interface Properties {
  step: Step;
  index: number;
  vote: number | null;
  actions: StepActions;
}

export function CorrectionForm({ step, index, vote, actions }: Properties) {
  const { source } = useEverywhere();
  const given = actions.correction(index);
  const [label, setLabel] = useState<Label>(given ? given.label : step.label === null ? null : !step.label);
  const [reason, setReason] = useState(given?.reason ?? "");
  const [error, setError] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const open = actions.correcting === index;

  useEffect(() => {
    if (open) form.current?.querySelector("textarea")?.focus();
  }, [open]);

  if (source.readOnly) return given ? <Given label={given.label} reason={given.reason} /> : null;
  const send = async (to: Label) => {
    try {
      await source.correct(actions.run, { index: actions.index, step: index, vote, label: to, reason });
      setError(null);
      actions.setCorrecting(null);
      actions.onCorrected();
    } catch (failure) {
      setError(String((failure as Error).message));
    }
  };
  if (!open) {
    return (
      <div class="correction-line">
        {given && <Given label={given.label} reason={given.reason} />}
        <button type="button" class="button quiet" onClick={() => actions.setCorrecting(index)}>
          {given ? "Change the correction" : "This judgement is wrong…"}
        </button>
      </div>
    );
  }
  return (
    <form
      ref={form}
      class="correction"
      onSubmit={(event) => {
        event.preventDefault();
        if (label !== null) void send(label);
      }}
    >
      <fieldset>
        <legend>In truth this step is</legend>
        {([true, false] as const).map((value) => (
          <label class="chip">
            <input type="radio" name={`label-${index}`} checked={label === value} onChange={() => setLabel(value)} />
            <span>{word(value)}</span>
          </label>
        ))}
      </fieldset>
      <label class="reason">
        Why
        <textarea
          rows={3}
          value={reason}
          placeholder="One or two sentences, as a verifier should have written them."
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      {error && <Message kind="error">{error}</Message>}
      <div class="buttons">
        <button class="button primary" type="submit" disabled={label === null}>
          Keep the correction
        </button>
        {given && (
          <button class="button" type="button" onClick={() => void send(null)}>
            Take it back
          </button>
        )}
        <button class="button quiet" type="button" onClick={() => actions.setCorrecting(null)}>
          Cancel
        </button>
      </div>
    </form>
  );
}

function Given({ label, reason }: { label: Label; reason: string }) {
  return (
    <p class="given">
      Corrected by a person: <Verdict label={label} />
      {reason && (
        <>
          {" — "}
          <Shown>{reason}</Shown>
        </>
      )}
    </p>
  );
}

/** Hand a file to the browser to keep. */
function keepFile(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export function CorrectionsView({ run }: { run: number }) {
  const { source, meta, fail } = useEverywhere();
  useKeys({ Escape: () => (location.hash = listLink(run)) });
  const loaded = useLoaded(() => source.corrections(run), [run]);
  const info = meta.runs[run];
  if (!info) return <Message kind="error">There is no run {run} on this page.</Message>;
  const state = loaded.value;
  const save = (name: "chats" | "labelled") => {
    source.download(run, name).then(
      (rows) => keepFile(rows, `${name}.jsonl`),
      (failure: unknown) => fail(failure as Error),
    );
  };
  return (
    <main class="narrow">
      <h1>Corrections of {info.name}</h1>
      {loaded.error && <Message kind="error">{loaded.error}</Message>}
      {state && state.corrections.length === 0 && (
        <Message kind="note">
          None yet. Open a step of <a href={listLink(run)}>a solution</a> and say that its judgement is wrong.
        </Message>
      )}
      {state && state.corrections.length > 0 && (
        <>
          <p>
            They are kept in a journal beside the run. {state.chats} of the corrected solutions give a chat for{" "}
            <code>genprm train</code>, {state.labelled} a labelled row for <code>genprm evaluate</code>.
          </p>
          {!source.readOnly && (
            <p class="buttons">
              <button type="button" class="button primary" onClick={() => save("chats")}>
                Chats for training
              </button>
              <button type="button" class="button" onClick={() => save("labelled")}>
                Labelled rows
              </button>
            </p>
          )}
          {state.left_out.map((cause) => (
            <Message kind="note">Left out: {cause}</Message>
          ))}
          <ol class="corrections">
            {state.corrections.map((correction) => (
              <li>
                <a href={solutionLink(run, correction.index, correction.step)}>
                  <Shown>{correction.id || `row ${correction.index}`}</Shown>, step {correction.step + 1}
                </a>
                : <Verdict label={correction.was} /> became <Verdict label={correction.label} />
                {correction.reason && (
                  <p class="given">
                    <Shown>{correction.reason}</Shown>
                  </p>
                )}
                <p class="faint">{correction.at}</p>
              </li>
            ))}
          </ol>
        </>
      )}
    </main>
  );
}

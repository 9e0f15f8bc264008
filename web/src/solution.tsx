/** One row whole: its problem, its steps, and whatever else its command stored. */

import { useEffect, useState } from "preact/hooks";

import { Dialogue } from "./dialogue";
import { useKeys } from "./keys";
import { Pool } from "./pool";
import { listLink, queryParameters, solutionLink } from "./route";
import { StepCard, type StepActions } from "./step";
import { Prose } from "./text";
import { SearchTree } from "./tree";
import type { Document, Place, Query } from "./types";
import { Message, Shown, useEverywhere, useLoaded, Verdict } from "./ui";

interface Properties {
  run: number;
  index: number;
  step: number | null;
  vote: number | null;
  query: Query;
}

export function SolutionView({ run, index, step, vote, query }: Properties) {
  const { source, meta } = useEverywhere();
  const [version, setVersion] = useState(0);
  const [correcting, setCorrecting] = useState<number | null>(null);
  const loaded = useLoaded(() => source.entry(run, index), [run, index]);
  const standing = useLoaded(() => source.corrections(run), [run, index, version]);
  const neighbours = useNeighbours(run, index, query);
  const row = loaded.value?.index === index ? loaded.value : null;

  useEffect(() => setCorrecting(null), [run, index]);
  useEffect(() => scrollTo(0, 0), [run, index]);

  const actions: StepActions = {
    run,
    index,
    link: (to, ballot) => solutionLink(run, index, to, ballot, query),
    correction: (to) => standing.value?.corrections.find((c) => c.index === index && c.step === to),
    onCorrected: () => setVersion((n) => n + 1),
    correcting,
    setCorrecting,
  };
  useSolutionKeys({ row, step, vote, actions, run, query, neighbours });

  if (loaded.error) return <Message kind="error">{loaded.error}</Message>;
  if (!row) return <p class="waiting">Loading…</p>;
  return (
    <main class="solution">
      <nav class="trail-line" aria-label="Place">
        <a href={listLink(run, query)}>{meta.runs[run]?.name ?? "run"}</a>
        <span aria-hidden="true"> / </span>
        <span>
          {neighbours.place === null
            ? `row ${index}`
            : `${(neighbours.place + 1).toLocaleString("en")} of ${neighbours.total.toLocaleString("en")}`}
        </span>
        <span class="spacer" />
        <Neighbour run={run} to={neighbours.before} query={query} text="← before" />
        <Neighbour run={run} to={neighbours.after} query={query} text="next →" />
      </nav>
      <SolutionBody row={row} step={step} vote={vote} actions={actions} />
    </main>
  );
}

function Neighbour({ run, to, query, text }: { run: number; to: number | null; query: Query; text: string }) {
  if (to === null) return <span class="faint">{text}</span>;
  return <a href={solutionLink(run, to, null, null, query)}>{text}</a>;
}

interface BodyProperties {
  row: Document;
  step: number | null;
  vote: number | null;
  actions: StepActions | null;
}

export function SolutionBody({ row, step, vote, actions }: BodyProperties) {
  return (
    <>
      <header class="solution-head">
        <h1>
          <Shown>{row.id || `row ${row.index}`}</Shown>
        </h1>
        <Conclusion row={row} />
      </header>
      {row.failed !== null && <Message kind="error">This row failed: <Shown>{row.failed}</Shown></Message>}
      {row.problem && (
        <div class="problem">
          <Prose text={row.problem} />
          {row.answer !== null && (
            <p class="gold">
              Known answer: <Prose text={row.answer} class="inline" />
            </p>
          )}
        </div>
      )}
      {row.kind === "search" ? (
        <SearchTree row={row} step={step} actions={actions} />
      ) : row.kind === "pool" ? (
        <Pool row={row} step={step} vote={vote} actions={actions} />
      ) : row.kind === "refinement" ? (
        <Dialogue row={row} step={step} vote={vote} actions={actions} />
      ) : (
        <Steps row={row} numbers={row.steps.map((_, at) => at)} step={step} vote={vote} actions={actions} error={row.first_error} />
      )}
      {row.critiques.map((critique, at) => (
        <div class="critique">
          <h2>Critique {at + 1}</h2>
          <Prose text={critique} />
        </div>
      ))}
      <Cost row={row} />
    </>
  );
}

interface StepsProperties extends BodyProperties {
  numbers: number[];
  error: number | null;
}

export function Steps({ row, numbers, step, vote, actions, error }: StepsProperties) {
  return (
    <ol class="steps">
      {numbers.map((number, at) => {
        const own = row.steps[number];
        if (!own) return null;
        return (
          <StepCard
            key={number}
            step={own}
            number={number}
            place={at + 1}
            open={step === number}
            current={step === number}
            vote={step === number ? vote : null}
            truth={truth(row, at)}
            first={error === at}
            actions={actions}
          />
        );
      })}
    </ol>
  );
}

function truth(row: Document, at: number): boolean | null {
  if (row.label === null || row.kind !== "solution") return null;
  if (row.label < 0 || at < row.label) return true;
  return at === row.label ? false : null;
}

function Conclusion({ row }: { row: Document }) {
  const error = row.first_error;
  return (
    <p class="conclusion">
      {row.kind === "solution" || row.kind === "path" || row.kind === "refinement" ? (
        <Verdict
          label={error === null ? null : error < 0}
          name={error === null ? "undecided" : error < 0 ? "no error found" : `first error in step ${error + 1}`}
        />
      ) : null}
      {row.label !== null && (
        <span class={`badge ${row.label === error ? "" : "against"}`}>
          label: {row.label < 0 ? "no error" : `step ${row.label + 1}`}
        </span>
      )}
      {row.stop && <span class="badge"><Shown>{row.stop.replaceAll("_", " ")}</Shown></span>}
    </p>
  );
}

function Cost({ row }: { row: Document }) {
  const { tokens_out, executions, seconds } = row.usage;
  if (!tokens_out && !executions) return null;
  return (
    <p class="faint cost">
      {tokens_out.toLocaleString("en")} tokens written, {executions.toLocaleString("en")} executions
      {seconds ? `, ${seconds.toFixed(1)} s` : ""}
    </p>
  );
}

const NOWHERE: Place = { place: null, total: 0, before: null, after: null };

/** Where the row stands in the list that the person came from, and the rows around it. */
function useNeighbours(run: number, index: number, query: Query): Place {
  const { source } = useEverywhere();
  const version = `${run}/${index}?${queryParameters(query)}`;
  const loaded = useLoaded(async () => ({ version, place: await source.place(run, index, query) }), [version]);
  return loaded.value?.version === version ? loaded.value.place : NOWHERE;
}

interface KeyProperties {
  row: Document | null;
  step: number | null;
  vote: number | null;
  actions: StepActions;
  run: number;
  query: Query;
  neighbours: Place;
}

function useSolutionKeys({ row, step, vote, actions, run, query, neighbours }: KeyProperties): void {
  const steps = row?.steps.length ?? 0;
  const go = (to: number | null, ballot: number | null = null) => {
    history.replaceState(null, "", actions.link(to, ballot));
    dispatchEvent(new HashChangeEvent("hashchange"));
  };
  const move = (by: number) => {
    if (steps) go(step === null ? (by > 0 ? 0 : steps - 1) : Math.max(0, Math.min(steps - 1, step + by)));
  };
  const turn = (by: number) => {
    const votes = step === null ? 0 : (row?.steps[step]?.votes.length ?? 0);
    if (votes && step !== null) go(step, vote === null ? 0 : Math.max(0, Math.min(votes - 1, vote + by)));
  };
  const open = (to: number | null) => {
    if (to !== null) location.hash = solutionLink(run, to, null, null, query);
  };
  const firstError = () => {
    if (!row) return;
    if (row.first_error !== null && row.first_error >= 0 && row.kind !== "refinement") go(row.first_error);
    else {
      const at = row.steps.findIndex((own) => own.label === false);
      if (at >= 0) go(at);
    }
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    o: () => go(step === null ? 0 : null),
    l: () => turn(1),
    h: () => turn(-1),
    e: firstError,
    v: () => cycleEvidence(vote),
    c: () => step !== null && actions.setCorrecting(step),
    n: () => open(neighbours.after),
    p: () => open(neighbours.before),
    "/": () => {
      location.hash = listLink(run, query);
      setTimeout(() => document.getElementById("search")?.focus(), 150);
    },
    Escape: () => {
      const active = document.activeElement as HTMLElement | null;
      if (active && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName)) active.blur();
      else if (actions.correcting !== null) actions.setCorrecting(null);
      else if (step !== null) go(null);
      else location.hash = listLink(run, query);
    },
  });
}

/** From verdict to code line to output, and round again, in the vote that is looked at. */
function cycleEvidence(vote: number | null): void {
  const card = document.querySelectorAll(".step.current .vote")[vote ?? 0];
  const stops = [".evidence", ".decisive-line", ".decisive-output"]
    .map((selector) => card?.querySelector<HTMLElement>(selector))
    .filter((node) => node !== null && node !== undefined);
  if (!stops.length) return;
  const at = stops.findIndex((node) => node === document.activeElement);
  const next = stops[(at + 1) % stops.length]!;
  next.scrollIntoView({ block: "center" });
  next.focus({ preventScroll: true });
}

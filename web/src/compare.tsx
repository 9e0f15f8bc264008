/** Two runs side by side: those solutions first on which they disagree. */

import { useKeys } from "./keys";
import { solutionLink } from "./route";
import { SolutionBody } from "./solution";
import type { Pair, Summary } from "./types";
import { conclusion, Message, number, Shown, Strip, useEverywhere, useLoaded, Verdict } from "./ui";
import { VirtualList } from "./virtual";
import { useRef, useState } from "preact/hooks";

export function CompareView({ a, b }: { a: number; b: number }) {
  const { source, meta, fail } = useEverywhere();
  const [cursor, setCursor] = useState(-1);
  const rows = `${meta.runs[a]?.rows}/${meta.runs[b]?.rows}`;
  const loaded = useLoaded(() => source.compare(a, b, 0, 100), [a, b, rows]);
  const total = loaded.value?.total ?? 0;
  const cache = useRef(new Map<number, Pair>());
  const move = (to: number) => setCursor(Math.max(0, Math.min(total - 1, to)));
  useKeys({
    j: () => move(cursor + 1),
    ArrowDown: () => move(cursor + 1),
    k: () => move(cursor - 1),
    ArrowUp: () => move(cursor - 1),
    Enter: () => {
      const pair = cache.current.get(Math.max(0, cursor));
      if (pair) location.hash = `#/compare/${a}/${b}/${pair.a.index}/${pair.b.index}`;
    },
    g: () => move(0),
    G: () => move(total - 1),
    Escape: () => (location.hash = "#/"),
  });
  const choose = (side: "a" | "b", value: number) => (
    <select
      aria-label={side === "a" ? "First run" : "Second run"}
      value={value}
      onChange={(event) => {
        const to = event.currentTarget.value;
        location.hash = side === "a" ? `#/compare/${to}/${b}` : `#/compare/${a}/${to}`;
      }}
    >
      {meta.runs.map((run) => (
        <option value={run.number}>{run.name}</option>
      ))}
    </select>
  );
  return (
    <main class="list-page">
      <h1>Two runs side by side</h1>
      <p class="compare-line">
        {choose("a", a)} against {choose("b", b)}
      </p>
      {loaded.error && <Message kind="error">{loaded.error}</Message>}
      {loaded.value && (
        <p class="count" role="status">
          {total.toLocaleString("en")} solutions in both, {loaded.value.differing.toLocaleString("en")} with
          differing verdicts; {loaded.value.only_a} only in the first, {loaded.value.only_b} only in the second
        </p>
      )}
      {total > 0 && (
        <VirtualList<Pair>
          total={total}
          label="Pairs"
          cursor={cursor}
          version={`${a}/${b}/${rows}`}
          load={async (offset, limit) => {
            try {
              if (offset === 0 && loaded.value) return loaded.value.pairs;
              return (await source.compare(a, b, offset, limit)).pairs;
            } catch (failure) {
              fail(failure as Error);
              throw failure;
            }
          }}
          render={(pair, index) => {
            cache.current.set(index, pair);
            return (
            <a class="row-link pair" href={`#/compare/${a}/${b}/${pair.a.index}/${pair.b.index}`}>
              <span class="row-head">
                <span class="row-id">
                  <Shown>{pair.a.id || `row ${pair.a.index}`}</Shown>
                </span>
                {pair.differs ? <span class="badge against">differ</span> : <span class="badge">agree</span>}
              </span>
              <Side row={pair.a} />
              <Side row={pair.b} />
            </a>
            );
          }}
        />
      )}
    </main>
  );
}

function Side({ row }: { row: Summary }) {
  const found = conclusion(row);
  return (
    <span class="row-facts">
      <Strip rewards={row.rewards} error={row.first_error} />
      <Verdict label={found.label} name={found.text} />
      <span class="figure">{number(row.lowest)}</span>
    </span>
  );
}

export function PairView({ a, b, left, right }: { a: number; b: number; left: number; right: number }) {
  const { source, meta } = useEverywhere();
  const first = useLoaded(() => source.entry(a, left), [a, left]);
  const second = useLoaded(() => source.entry(b, right), [b, right]);
  const found = useLoaded(() => source.pairPlace(a, b, left, right), [a, b, left, right]);
  const { place, total, before, after } = found.value ?? { place: null, total: 0, before: null, after: null };
  const link = (to: [number, number]) => `#/compare/${a}/${b}/${to[0]}/${to[1]}`;
  useKeys({
    n: () => after && (location.hash = link(after)),
    p: () => before && (location.hash = link(before)),
    Escape: () => (location.hash = `#/compare/${a}/${b}`),
  });
  return (
    <main class="pair-page">
      <nav class="trail-line" aria-label="Place">
        <a href={`#/compare/${a}/${b}`}>the comparison</a>
        <span aria-hidden="true"> / </span>
        <span>{place === null ? "a pair" : `${place + 1} of ${total.toLocaleString("en")}`}</span>
        <span class="spacer" />
        {before ? <a href={link(before)}>← before</a> : <span class="faint">← before</span>}
        {after ? <a href={link(after)}>next →</a> : <span class="faint">next →</span>}
      </nav>
      <h1 class="visually-hidden">One solution in two runs</h1>
      <div class="columns">
        {[
          { run: a, index: left, loaded: first },
          { run: b, index: right, loaded: second },
        ].map(({ run, index, loaded }, side) => (
          <section aria-label={side ? "In the second run" : "In the first run"}>
            <p class="column-name">
              <a href={solutionLink(run, index)}>{meta.runs[run]?.name ?? "run"}</a>
            </p>
            {loaded.error && <Message kind="error">{loaded.error}</Message>}
            {loaded.value && <SolutionBody row={loaded.value} step={null} vote={null} actions={null} />}
          </section>
        ))}
      </div>
    </main>
  );
}

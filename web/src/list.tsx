/** A run as a list: search, filters, order, and one line for each row. */

import { useEffect, useRef, useState } from "preact/hooks";

import { Funnel } from "./curation";
import { useKeys } from "./keys";
import { listLink, queryParameters, solutionLink } from "./route";
import type { Query, Summary } from "./types";
import { conclusion, Message, number, Shown, Strip, useEverywhere, useLoaded, Verdict } from "./ui";
import { VirtualList } from "./virtual";

const SORTS: [string, string][] = [
  ["number", "order of the run"],
  ["lowest", "lowest reward"],
  ["disagreement", "disagreement"],
  ["first_error", "first error"],
  ["abstained", "abstentions"],
  ["steps", "number of steps"],
  ["tokens", "tokens"],
  ["id", "id"],
];

const FLAGS: [keyof Query, string][] = [
  ["wrong", "Against label"],
  ["disagree", "Votes disagree"],
  ["abstained", "Abstained"],
  ["code_failed", "Code failed"],
  ["failed", "Failed"],
];

export function ListView({ run, query }: { run: number; query: Query }) {
  const { source, meta } = useEverywhere();
  const [cursor, setCursor] = useState(-1);
  const info = meta.runs[run];
  const version = `${run}?${queryParameters(query)}`;
  const first = useLoaded(() => source.entries(run, query, 0, 100), [version, meta]);
  const total = first.value?.total ?? 0;
  const cache = useRef(new Map<number, Summary>());

  useEffect(() => setCursor(-1), [version]);
  const move = (to: number) => setCursor(Math.max(0, Math.min(total - 1, to)));
  useKeys({
    j: () => move(cursor + 1),
    ArrowDown: () => move(cursor + 1),
    k: () => move(cursor - 1),
    ArrowUp: () => move(cursor - 1),
    g: () => move(0),
    G: () => move(total - 1),
    Enter: () => {
      const row = cache.current.get(Math.max(0, cursor));
      if (row) location.hash = solutionLink(run, row.index, null, null, query);
    },
    "/": () => document.getElementById("search")?.focus(),
    Escape: () => {
      const active = document.activeElement as HTMLElement | null;
      if (active && active !== document.body) active.blur();
      else location.hash = "#/";
    },
  });

  if (!info) return <Message kind="error">There is no run {run} on this page.</Message>;
  return (
    <main class="list-page">
      <h1 class="visually-hidden">Solutions of {info.name}</h1>
      <Filters run={run} query={query} />
      {info.curation && <Funnel run={run} />}
      <p class="count" role="status">
        {first.error ? "" : first.value === null ? "Searching…" : `${total.toLocaleString("en")} of ${info.rows.toLocaleString("en")} rows`}
      </p>
      {first.error && <Message kind="error">{first.error}</Message>}
      {first.value !== null && total === 0 && (
        <Message kind="note">
          Nothing matches. <a href={listLink(run)}>Show all rows</a>
        </Message>
      )}
      {total > 0 && (
        <VirtualList<Summary>
          total={total}
          label="Solutions"
          cursor={cursor}
          version={`${version}#${total}`}
          load={async (offset, limit) => {
            const page = offset === 0 && first.value ? first.value : await source.entries(run, query, offset, limit);
            return page.entries;
          }}
          render={(row, index) => {
            cache.current.set(index, row);
            return <Row run={run} row={row} query={query} />;
          }}
        />
      )}
    </main>
  );
}

function Row({ run, row, query }: { run: number; row: Summary; query: Query }) {
  const found = conclusion(row);
  return (
    <a class="row-link" href={solutionLink(run, row.index, null, null, query)}>
      <span class="row-head">
        <span class="row-id">
          <Shown>{row.id || `row ${row.index}`}</Shown>
        </span>
        <Verdict label={found.label} name={found.text} />
      </span>
      <span class="row-problem">
        <Shown>{row.failed ?? row.problem}</Shown>
      </span>
      <span class="row-facts">
        <Strip rewards={row.rewards} error={row.first_error} />
        <span class="figure">{row.lowest === null ? "" : `lowest ${number(row.lowest)}`}</span>
        <Badges row={row} />
      </span>
    </a>
  );
}

export function Badges({ row }: { row: Summary }) {
  return (
    <span class="badges">
      {row.wrong && row.label !== null && (
        <span class="badge against">
          label: {row.label < 0 ? "no error" : `step ${row.label + 1}`}
        </span>
      )}
      {row.disagreement > 0 && <span class="badge">{Math.round(row.disagreement * 100)} % dissent</span>}
      {row.abstained > 0 && <span class="badge">{row.abstained} abstained</span>}
      {row.code_failed > 0 && <span class="badge">{row.code_failed} code failed</span>}
    </span>
  );
}

function Filters({ run, query }: { run: number; query: Query }) {
  const [text, setText] = useState(query.q);
  const timer = useRef(0);
  const go = (change: Partial<Query>) => {
    history.replaceState(null, "", listLink(run, { ...query, ...change }));
    dispatchEvent(new HashChangeEvent("hashchange"));
  };
  useEffect(() => setText(query.q), [query.q]);
  const bound = (name: "low" | "high", label: string) => (
    <input
      type="number"
      min="0"
      max="1"
      step="0.05"
      aria-label={label}
      placeholder={name === "low" ? "0" : "1"}
      value={query[name]}
      onChange={(event) => go({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <div class="search-line">
        <input
          id="search"
          type="search"
          aria-label="Search problems, steps, analyses and code"
          placeholder="Search problems, steps, analyses, code"
          value={text}
          onInput={(event) => {
            const value = event.currentTarget.value;
            setText(value);
            clearTimeout(timer.current);
            timer.current = window.setTimeout(() => go({ q: value }), 180);
          }}
        />
        <select
          aria-label="Search in"
          value={query.within}
          onChange={(event) => go({ within: event.currentTarget.value })}
        >
          <option value="">everywhere</option>
          <option value="problem">in problems</option>
          <option value="steps">in steps</option>
          <option value="analysis">in analyses</option>
          <option value="code">in code</option>
        </select>
      </div>
      <div class="filter-line">
        <select
          aria-label="Verdict"
          value={query.verdict}
          onChange={(event) => go({ verdict: event.currentTarget.value })}
        >
          <option value="">any verdict</option>
          <option value="error">an error found</option>
          <option value="correct">no error found</option>
          <option value="undecided">undecided</option>
        </select>
        {FLAGS.map(([name, label]) => (
          <label class="chip">
            <input
              type="checkbox"
              checked={query[name] === true}
              onChange={(event) => go({ [name]: event.currentTarget.checked })}
            />
            <span>{label}</span>
          </label>
        ))}
        <span class="between">
          lowest reward {bound("low", "Lowest reward at least")} to {bound("high", "Lowest reward at most")}
        </span>
        <span class="order">
          <select
            aria-label="Order by"
            value={query.sort}
            onChange={(event) => go({ sort: event.currentTarget.value })}
          >
            {SORTS.map(([value, label]) => (
              <option value={value}>{label}</option>
            ))}
          </select>
          <button
            type="button"
            class="icon-button"
            aria-label={query.descending ? "Descending order" : "Ascending order"}
            aria-pressed={query.descending}
            onClick={() => go({ descending: !query.descending })}
          >
            {query.descending ? "↓" : "↑"}
          </button>
        </span>
      </div>
    </form>
  );
}

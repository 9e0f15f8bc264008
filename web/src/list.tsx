/** A run as a list: search, filters, order, and one line for each row. */

import { useEffect, useRef, useState } from "preact/hooks";

import { Funnel } from "./curation";
import { useKeys } from "./keys";
import { listLink, NO_QUERY, parseRoute, queryParameters, solutionLink } from "./route";
import type { Facts, Query, RunInfo, Summary } from "./types";
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

const FLAGS: ["wrong" | "disagree" | "abstained" | "code_failed" | "failed", string][] = [
  ["wrong", "Against label"],
  ["disagree", "Votes disagree"],
  ["abstained", "Abstained"],
  ["code_failed", "Code failed"],
  ["failed", "Failed"],
];

/** The columns of a wide list; a click on a head orders by it. */
const COLUMNS: [string, string][] = [
  ["id", "Row"],
  ["first_error", "Verdict"],
  ["steps", "Rewards of the steps"],
  ["lowest", "Lowest"],
  ["disagreement", "Noted"],
];

export function ListView({ run, query }: { run: number; query: Query }) {
  const { source, meta, fail } = useEverywhere();
  const [cursor, setCursor] = useState(-1);
  const info = meta.runs[run];
  const whole = info?.indexed === 1;
  const version = `${run}?${queryParameters(query)}`;
  const first = useLoaded(() => source.entries(run, query, 0, 100), [version, info?.rows, whole]);
  const total = first.value?.total ?? 0;
  const cache = useRef(new Map<number, Summary>());

  useEffect(() => setCursor(-1), [version]);
  const move = (to: number) => setCursor(Math.max(0, Math.min(total - 1, to)));
  useKeys({
    j: () => move(cursor + 1),
    ArrowDown: () => move(cursor + 1),
    k: () => move(cursor - 1),
    ArrowUp: () => move(cursor - 1),
    PageDown: () => move(cursor + 10),
    PageUp: () => move(cursor - 10),
    g: () => move(0),
    G: () => move(total - 1),
    Enter: () => {
      const row = cache.current.get(Math.max(0, cursor));
      if (row) location.hash = solutionLink(run, row.index, null, null, query);
    },
    f: () => document.querySelector<HTMLElement>(".filter-line select, .filter-line input")?.focus(),
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
      <RunHead info={info} />
      {info.failed && <Message kind="error">{info.failed}</Message>}
      <Filters run={run} query={query} facts={info.facts} />
      {info.curation && <Funnel run={run} />}
      <div class="count-line">
      <p class="count" role="status">
        {first.error
          ? ""
          : first.value === null
            ? "Searching…"
            : `${total.toLocaleString("en")} of ${Math.max(total, info.rows).toLocaleString("en")} rows`}
        {!whole && (
          <>
            {" "}
            so far; the run is being indexed <progress max={1} value={info.indexed} aria-label="Indexed" />{" "}
            {Math.round(info.indexed * 100)} %
          </>
        )}
      </p>
      <Order run={run} query={query} />
      </div>
      {first.error && <Message kind="error">{first.error}</Message>}
      {first.value !== null && total === 0 && (
        <Message kind="note">
          {whole ? "Nothing matches." : "Nothing yet."} <a href={listLink(run)}>Show all rows</a>
        </Message>
      )}
      {total > 0 && (
        <VirtualList<Summary>
          total={total}
          label="Solutions"
          cursor={cursor}
          version={`${version}#${whole}`}
          head={<ColumnHeads run={run} query={query} />}
          load={async (offset, limit) => {
            try {
              if (offset === 0 && first.value) return first.value.entries;
              return (await source.entries(run, query, offset, limit)).entries;
            } catch (failure) {
              fail(failure as Error);
              throw failure;
            }
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

function RunHead({ info }: { info: RunInfo }) {
  const { facts } = info;
  const figures: [number, string, string][] = [
    [facts.rows, info.curation ? "paths" : "rows", ""],
    [facts.correct, "without an error", "correct"],
    [facts.error, "with an error", "incorrect"],
    [facts.failed, "failed", "unknown"],
  ];
  const judged = facts.correct + facts.error > 0;
  const against = facts.labelled ? Math.round((1000 * (facts.labelled - facts.wrong)) / facts.labelled) / 10 : null;
  return (
    <header class="run-head">
      <div>
        <h1>{info.name}</h1>
        <p class="faint">
          {[info.command && `genprm ${info.command}`, info.model, info.version && `version ${info.version}`]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </div>
      <dl class="figures">
        {figures
          .filter(([count, name]) => count > 0 || (judged && name !== "failed"))
          .filter(([, name]) => judged || !name.startsWith("with"))
          .map(([count, name, kind]) => (
            <div class={kind}>
              <dt>{name}</dt>
              <dd>{count.toLocaleString("en")}</dd>
            </div>
          ))}
        {against !== null && (
          <div>
            <dt>
              of {facts.labelled.toLocaleString("en")} {judged ? "as labelled" : "answered correctly"}
            </dt>
            <dd>{against} %</dd>
          </div>
        )}
        {facts.tokens > 0 && (
          <div>
            <dt>tokens</dt>
            <dd>{compact(facts.tokens)}</dd>
          </div>
        )}
      </dl>
    </header>
  );
}

function compact(count: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(count);
}

function Order({ run, query }: { run: number; query: Query }) {
  const set = (change: Partial<Query>) => go(run, change);
  return (
    <span class="order">
      <span class="faint">ordered by</span>
      <select
        aria-label="Order by"
        value={query.sort}
        onChange={(event) => set({ sort: event.currentTarget.value })}
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
        onClick={() => set({ descending: !query.descending })}
      >
        {query.descending ? "↓" : "↑"}
      </button>
    </span>
  );
}

function ColumnHeads({ run, query }: { run: number; query: Query }) {
  return (
    <div class="column-heads">
      {COLUMNS.map(([sort, label]) => {
        const here = query.sort === sort;
        return (
          <button
            type="button"
            class={`column-head by-${sort}`}
            aria-label={`Order by ${label.toLowerCase()}${here ? (query.descending ? ", descending now" : ", ascending now") : ""}`}
            onClick={() => go(run, { sort, descending: here ? !query.descending : sort === "disagreement" })}
          >
            {label}
            <span aria-hidden="true">{here ? (query.descending ? " ↓" : " ↑") : ""}</span>
          </button>
        );
      })}
    </div>
  );
}

/** Another query for the same list, in the same place of the history. */
/** Change what the address asks for now; what was drawn may be older than that. */
function go(run: number, change: Partial<Query>): void {
  const route = parseRoute(location.hash);
  const query = route.page === "list" ? route.query : undefined;
  history.replaceState(null, "", listLink(run, { ...NO_QUERY, ...query, ...change }));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function Row({ run, row, query }: { run: number; row: Summary; query: Query }) {
  const found = conclusion(row);
  return (
    <a class="row-link" href={solutionLink(run, row.index, null, null, query)}>
      <span class="row-text">
        <span class="row-id">
          <Shown>{row.id || `row ${row.index}`}</Shown>
        </span>
        <span class="row-problem">
          <Shown>{row.failed ?? row.problem}</Shown>
        </span>
      </span>
      <Verdict label={found.label} name={found.text} />
      <Strip rewards={row.rewards} error={row.first_error} />
      <span class="figure row-lowest">{row.lowest === null ? "" : number(row.lowest)}</span>
      <Badges row={row} />
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

/** A limit of rewards. What is being typed is its own, so that a new drawing does not erase it. */
function Bound(props: {
  label: string;
  placeholder: string;
  value: string;
  onChange: (value: string) => void;
}) {
  const [text, setText] = useState(props.value);
  useEffect(() => setText(props.value), [props.value]);
  return (
    <input
      type="number"
      min="0"
      max="1"
      step="0.05"
      aria-label={props.label}
      placeholder={props.placeholder}
      value={text}
      onInput={(event) => setText(event.currentTarget.value)}
      onChange={(event) => props.onChange(event.currentTarget.value)}
    />
  );
}

function Filters({ run, query, facts }: { run: number; query: Query; facts: Facts }) {
  const [text, setText] = useState(query.q);
  const timer = useRef(0);
  const set = (change: Partial<Query>) => go(run, change);
  useEffect(() => setText(query.q), [query.q]);
  const bound = (name: "low" | "high", label: string) => (
    <Bound
      label={label}
      placeholder={name === "low" ? "0" : "1"}
      value={query[name]}
      onChange={(value) => set({ [name]: value })}
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
            timer.current = window.setTimeout(() => set({ q: value }), 180);
          }}
        />
        <select
          aria-label="Search in"
          value={query.within}
          onChange={(event) => set({ within: event.currentTarget.value })}
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
          onChange={(event) => set({ verdict: event.currentTarget.value })}
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
              onChange={(event) => set({ [name]: event.currentTarget.checked })}
            />
            <span>
              {label}
              {facts[name] > 0 && <small> {facts[name].toLocaleString("en")}</small>}
            </span>
          </label>
        ))}
        <span class="between">
          <select aria-label="Which reward" value={query.of} onChange={(event) => set({ of: event.currentTarget.value })}>
            <option value="any">reward of a step</option>
            <option value="lowest">lowest reward</option>
          </select>
          {bound("low", "Reward at least")} to {bound("high", "Reward at most")}
        </span>
      </div>
    </form>
  );
}

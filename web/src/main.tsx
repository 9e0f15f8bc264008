/** The page: its header, and the view that the address names. */

import "katex/dist/katex.min.css";
import "./fonts.css";
import "./style.css";

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { BundleSource } from "./bundle";
import { CompareView, PairView } from "./compare";
import { CorrectionsView } from "./correct";
import { forgetKey, hasKey, KeyForm, NeedsKey } from "./key";
import { Help } from "./keys";
import { ListView } from "./list";
import { TryView } from "./live";
import { listLink, parseRoute, type Route } from "./route";
import { loadKatex } from "./math";
import { RunsView } from "./runs";
import { ServerSource } from "./server";
import { SolutionView } from "./solution";
import type { Meta, Source } from "./types";
import { Context, Message } from "./ui";

const LATER = 1_500; // milliseconds until KaTeX is loaded, where no formula was shown before
const AGAIN = 500; // milliseconds between two looks at a run that is being indexed

const source = openSource();

function openSource(): Source {
  if (globalThis.genprmBundle) return new BundleSource();
  const server = new ServerSource();
  const route = parseRoute(location.hash);
  if (route.page === "list") server.expect(route.run, route.query);
  return server;
}

function App() {
  const [route, setRoute] = useState<Route>(parseRoute(location.hash));
  const [meta, setMeta] = useState<Meta | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [help, setHelp] = useState(false);
  const reload = () => {
    source.meta().then(
      (found) => {
        setMeta(found);
        setError(null);
        if (found.runs.some((run) => run.indexed < 1)) setTimeout(reload, AGAIN);
        if (found.runs.length === 1 && /^#?\/?$/.test(location.hash)) location.replace(listLink(0));
      },
      (failure: unknown) => setError(failure as Error),
    );
  };

  useEffect(() => {
    const onChange = () => setRoute(parseRoute(location.hash));
    const onKey = (event: KeyboardEvent) => {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test((event.target as HTMLElement).tagName);
      if (event.key === "?" && !typing) setHelp(true);
    };
    addEventListener("hashchange", onChange);
    addEventListener("keydown", onKey);
    reload();
    return () => {
      removeEventListener("hashchange", onChange);
      removeEventListener("keydown", onKey);
    };
  }, []);

  const run = "run" in route ? route.run : "a" in route ? route.a : 0;
  useEffect(() => {
    const name = meta?.runs[run]?.name;
    document.title = name && route.page !== "runs" ? `${name} · genprm` : "genprm";
  }, [meta, route]);

  if (error instanceof NeedsKey) return <KeyForm reason={error.message} onKey={reload} />;
  if (error && !meta) {
    return (
      <main class="narrow">
        <Message kind="error">{error.message}</Message>
        <p class="buttons">
          <button type="button" class="button" onClick={reload}>
            Try again
          </button>
        </p>
      </main>
    );
  }
  if (!meta) return <p class="waiting">Loading…</p>;
  return (
    <Context.Provider value={{ source, meta, reload, fail: setError }}>
      <Header meta={meta} route={route} run={run} onHelp={() => setHelp(true)} />
      {error && <Message kind="error">{error.message}</Message>}
      <View route={route} />
      {help && <Help onClose={() => setHelp(false)} />}
    </Context.Provider>
  );
}

function skip(): void {
  const main = document.querySelector("main");
  main?.setAttribute("tabindex", "-1");
  main?.focus();
}

function View({ route }: { route: Route }) {
  switch (route.page) {
    case "list":
      return <ListView run={route.run} query={route.query} />;
    case "solution":
      return (
        <SolutionView run={route.run} index={route.index} step={route.step} vote={route.vote} query={route.query} />
      );
    case "compare":
      return <CompareView a={route.a} b={route.b} />;
    case "pair":
      return <PairView a={route.a} b={route.b} left={route.left} right={route.right} />;
    case "try":
      return <TryView />;
    case "corrections":
      return <CorrectionsView run={route.run} />;
    default:
      return <RunsView />;
  }
}

interface HeaderProperties {
  meta: Meta;
  route: Route;
  run: number;
  onHelp: () => void;
}

function Header({ meta, route, run, onHelp }: HeaderProperties) {
  const link = (href: string, text: string, here: boolean) => (
    <a href={href} aria-current={here ? "page" : undefined}>
      {text}
    </a>
  );
  const any = meta.runs.length > 0;
  return (
    <header class="page-head">
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <a class="brand" href="#/" aria-label="genprm, all runs">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M8 17l5 5L24 10" />
        </svg>
        genprm
      </a>
      {meta.runs.length > 1 && (
        <select
          class="run-choice"
          aria-label="Run"
          value={route.page === "runs" || route.page === "try" ? "" : String(run)}
          onChange={(event) => event.currentTarget.value !== "" && (location.hash = listLink(Number(event.currentTarget.value)))}
        >
          <option value="">all runs</option>
          {meta.runs.map((own) => (
            <option value={own.number}>{own.name}</option>
          ))}
        </select>
      )}
      <nav aria-label="Pages">
        {any && link(listLink(run), "Solutions", route.page === "list" || route.page === "solution")}
        {meta.runs.length > 1 && link(`#/compare/${run}/${run ? 0 : 1}`, "Compare", route.page === "compare" || route.page === "pair")}
        {any && link(`#/corrections/${run}`, "Corrections", route.page === "corrections")}
        {meta.live && link("#/try", "Try it", route.page === "try")}
      </nav>
      {hasKey() && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            forgetKey();
            location.reload();
          }}
        >
          Forget the key
        </button>
      )}
      <button type="button" class="icon-button" aria-label="Keys" onClick={onHelp}>
        ?
      </button>
    </header>
  );
}

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(<App />, root);
  setTimeout(() => void loadKatex(), LATER);
}

/** The page: its header, and the view that the address names. */

import "katex/dist/katex.min.css";
import "./style.css";

import { render } from "preact";
import { useEffect, useState } from "preact/hooks";

import { BundleSource } from "./bundle";
import { CompareView, PairView } from "./compare";
import { CorrectionsView } from "./correct";
import { Help } from "./keys";
import { ListView } from "./list";
import { TryView } from "./live";
import { listLink, parseRoute, type Route } from "./route";
import { RunsView } from "./runs";
import { ServerSource } from "./server";
import { SolutionView } from "./solution";
import type { Meta, Source } from "./types";
import { Context, Message } from "./ui";

const source: Source = globalThis.genprmBundle ? new BundleSource() : new ServerSource();

function App() {
  const [route, setRoute] = useState<Route>(parseRoute(location.hash));
  const [meta, setMeta] = useState<Meta | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [help, setHelp] = useState(false);
  const reload = () => {
    source.meta().then(
      (found) => {
        setMeta(found);
        if (found.runs.length === 1 && /^#?\/?$/.test(location.hash)) location.replace(listLink(0));
      },
      (failure: unknown) => setError(String((failure as Error).message)),
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

  if (error) return <Message kind="error">{error}</Message>;
  if (!meta) return <p class="waiting">Loading…</p>;
  return (
    <Context.Provider value={{ source, meta, reload }}>
      <Header meta={meta} route={route} run={run} onHelp={() => setHelp(true)} />
      <View route={route} />
      {help && <Help onClose={() => setHelp(false)} />}
    </Context.Provider>
  );
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
}

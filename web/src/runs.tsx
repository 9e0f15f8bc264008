/** The first page: every run with what made it. */

import { useKeys } from "./keys";
import { listLink } from "./route";
import { Message, useEverywhere, Verdict } from "./ui";

export function RunsView() {
  const { meta } = useEverywhere();
  const step = (by: number) => {
    const links = [...document.querySelectorAll<HTMLElement>(".run-link")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[Math.max(0, Math.min(links.length - 1, at + by))]?.focus();
  };
  useKeys({
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    "/": () => meta.runs[0] && (location.hash = listLink(0)),
  });
  return (
    <main class="narrow">
      <h1>Runs</h1>
      {meta.runs.length === 0 && (
        <Message kind="note">
          No run is open. Start this page with <code>genprm view RUN…</code>
          {meta.live && (
            <>
              , or <a href="#/try">try the verifier on a solution</a>
            </>
          )}
          .
        </Message>
      )}
      <ul class="runs">
        {meta.runs.map((run) => (
          <li>
            <a href={listLink(run.number)} class="run-link">
              <strong>{run.name}</strong>
              <span>
                {[run.command && `genprm ${run.command}`, run.model].filter(Boolean).join(" · ")}
              </span>
              <span class="figure run-counts">
                {run.facts.error > 0 && <Verdict label={false} name={`${run.facts.error.toLocaleString("en")} with an error`} />}
                {run.facts.correct > 0 && <Verdict label={true} name={`${run.facts.correct.toLocaleString("en")} without`} />}
                <span>
                  {run.rows.toLocaleString("en")} {run.curation ? "paths" : run.rows === 1 ? "row" : "rows"}
                  {run.indexed < 1 && ", being indexed"}
                </span>
              </span>
            </a>
            {run.failed && <Message kind="error">{run.failed}</Message>}
            <details class="whole">
              <summary>Settings</summary>
              {run.path && <p class="faint">{run.path}</p>}
              <pre tabIndex={0}>{JSON.stringify(run.settings, null, 2)}</pre>
            </details>
          </li>
        ))}
      </ul>
    </main>
  );
}

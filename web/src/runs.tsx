/** The first page: every run with what made it. */

import { useKeys } from "./keys";
import { listLink } from "./route";
import { Message, useEverywhere } from "./ui";

export function RunsView() {
  const { meta } = useEverywhere();
  useKeys({ "/": () => meta.runs[0] && (location.hash = listLink(0)) });
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
              <span class="figure">
                {run.rows.toLocaleString("en")} {run.curation ? "paths" : "rows"}
              </span>
            </a>
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

/** A curation's funnel: what each stage kept, and why the rest went. */

import { useEverywhere, useLoaded, Message } from "./ui";

export function Funnel({ run }: { run: number }) {
  const { source } = useEverywhere();
  const loaded = useLoaded(() => source.funnel(run), [run]);
  if (loaded.error) return <Message kind="error">{loaded.error}</Message>;
  const stages = loaded.value ?? [];
  const most = Math.max(1, ...stages.map((stage) => stage.count));
  return (
    <details class="funnel" open>
      <summary>Funnel</summary>
      <ol>
        {stages.map((stage) => (
          <li>
            <span class="funnel-name">{stage.name}</span>
            <span class="funnel-bar" aria-hidden="true">
              <span class="fill" style={{ width: `${(100 * stage.count) / most}%` }} />
            </span>
            <span class="figure">{stage.count.toLocaleString("en")}</span>
            <span class="funnel-lost faint">
              {Object.entries(stage.lost)
                .sort((a, b) => b[1] - a[1])
                .map(([cause, count]) => `${count} ${cause.replaceAll("_", " ")}`)
                .join(", ")}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}

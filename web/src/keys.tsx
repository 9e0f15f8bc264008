/** Keys: one handler at a time for the view, and the help that lists them. */

import { useEffect, useRef } from "preact/hooks";

export type Keys = Record<string, () => void>;

/** Call the view's function for a key, unless something is being typed or a modifier is held. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const target = event.target as HTMLElement;
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
      if (typing && event.key !== "Escape") return;
      if (document.querySelector("dialog[open]")) return;
      const action = latest.current[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

const HELP: [string, [string, string][]][] = [
  [
    "Everywhere",
    [
      ["?", "this help"],
      ["/", "search"],
      ["Esc", "leave a field, or go back"],
      ["Tab", "next link, field or button"],
    ],
  ],
  [
    "In a list",
    [
      ["j ↓", "next row"],
      ["k ↑", "row before"],
      ["g G", "first row, last row"],
      ["PgDn PgUp", "ten rows down, ten rows up"],
      ["f", "filters"],
      ["Enter", "open the row"],
    ],
  ],
  [
    "In a solution",
    [
      ["j k", "next step, step before"],
      ["o", "open or close the step's votes"],
      ["l h", "next vote, vote before"],
      ["e", "the first error"],
      ["v", "the evidence of the vote: verdict, code line, output"],
      ["c", "correct the step"],
      ["n p", "next solution or pair, the one before"],
    ],
  ],
];

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (dialog.current && !dialog.current.open) dialog.current.showModal();
  }, []);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keys</h2>
      <div class="help-groups">
        {HELP.map(([group, keys]) => (
          <section>
            <h3>{group}</h3>
            <dl>
              {keys.map(([key, text]) => (
                <>
                  <dt>
                    {key.split(" ").map((part) => (
                      <kbd>{part}</kbd>
                    ))}
                  </dt>
                  <dd>{text}</dd>
                </>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <button type="button" class="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}

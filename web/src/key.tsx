/** The API key of a service that asks for one: kept for this tab only, sent with every request. */

import { useState } from "preact/hooks";

const NAME = "genprm-key";

/** The server answered 401. */
export class NeedsKey extends Error {
  constructor() {
    super(
      key() === null
        ? "this service asks for an API key"
        : "the service does not accept this API key; fix: check it, or ask whoever runs the service",
    );
  }
}

function key(): string | null {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null; // storage is turned off, or the page was opened from disk
  }
}

export function keyHeaders(): Record<string, string> {
  const known = key();
  return known ? { authorization: `Bearer ${known}` } : {};
}

export function hasKey(): boolean {
  return key() !== null;
}

export function forgetKey(): void {
  sessionStorage.removeItem(NAME);
}

/** What a request may carry in a header: printable ASCII. */
export function isSendable(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

export function KeyForm({ reason, onKey }: { reason: string; onKey: () => void }) {
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  return (
    <main class="narrow key-page">
      <h1>API key</h1>
      <p role="alert" class="message note">
        {reason[0]?.toUpperCase()}
        {reason.slice(1)}.
      </p>
      <form
        class="key-form"
        onSubmit={(event) => {
          event.preventDefault();
          const given = text.trim();
          if (!isSendable(given)) {
            setFault("A key consists of printable ASCII characters without spaces.");
            return;
          }
          sessionStorage.setItem(NAME, given);
          onKey();
        }}
      >
        <label>
          API key
          <input
            id="api-key"
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            value={text}
            aria-describedby="key-note"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        {fault && <p class="message error" role="alert">{fault}</p>}
        <p id="key-note" class="faint">
          The key is one of those that the service was started with (<code>--keys</code> or{" "}
          <code>GENPRM_API_KEYS</code>). It is kept in this tab only and forgotten when the tab is closed.
        </p>
        <div class="buttons">
          <button class="button primary" type="submit">
            Use this key
          </button>
        </div>
      </form>
    </main>
  );
}

/** The small parts that every view uses: verdicts, strips of rewards, links, messages. */

import type { ComponentChildren } from "preact";
import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

import type { Label, Meta, Source, Step, Summary } from "./types";
import { visible } from "./visible";

export interface Everywhere {
  source: Source;
  meta: Meta;
  reload: () => void;
  fail: (error: Error) => void; // what the whole page has to show, such as a missing key
}

export const Context = createContext<Everywhere | null>(null);

export function useEverywhere(): Everywhere {
  const value = useContext(Context);
  if (!value) throw new Error("used outside the page");
  return value;
}

export function number(value: number | null, digits = 2): string {
  return value === null ? "—" : value.toFixed(digits);
}

export function word(label: Label): string {
  return label === null ? "no label" : label ? "correct" : "incorrect";
}

export function sign(label: Label): string {
  return label === null ? "?" : label ? "✓" : "✗";
}

/** The class that colours a reward: five bands, or none. */
export function band(reward: number | null): string {
  if (reward === null) return "band-none";
  return `band-${Math.max(0, Math.min(4, Math.floor(reward * 5)))}`;
}

export function Verdict({ label, reward, name }: { label: Label; reward?: number | null; name?: string }) {
  return (
    <span class={`verdict ${label === null ? "unknown" : label ? "correct" : "incorrect"}`}>
      <span aria-hidden="true">{sign(label)}</span> {name ?? word(label)}
      {reward !== undefined && reward !== null && <span class="figure"> {number(reward)}</span>}
    </span>
  );
}

/** One bar for each step: its height and colour are the reward. */
export function Strip({ rewards, error }: { rewards: (number | null)[]; error: number | null }) {
  return (
    <span class="strip" aria-hidden="true">
      {rewards.map((reward, index) => (
        <span class={`bar ${band(reward)} ${index === error ? "first-error" : ""}`}>
          <span class="fill" style={{ height: `${reward === null ? 100 : Math.max(12, reward * 100)}%` }} />
        </span>
      ))}
    </span>
  );
}

export function conclusion(row: Summary): { label: Label; text: string } {
  if (row.failed !== null) return { label: null, text: "failed" };
  if (row.kind === "path" && row.first_error === null) return { label: null, text: "no scores yet" };
  if (row.kind === "pool" || row.kind === "search") {
    if (row.wrong === null) return { label: null, text: row.kind === "pool" ? "ranked" : "searched" };
    return row.wrong ? { label: false, text: "choice incorrect" } : { label: true, text: "choice correct" };
  }
  if (row.first_error === null) return { label: null, text: "undecided" };
  return row.first_error < 0
    ? { label: true, text: "no error" }
    : { label: false, text: `error in step ${row.first_error + 1}` };
}

export function tally(step: Step): string {
  const count = (label: Label) => step.votes.filter((vote) => vote.label === label).length;
  const parts = [`${count(true)} correct`, `${count(false)} incorrect`];
  const none = count(null);
  if (none) parts.push(`${none} abstained`);
  const fewer = step.wanted > step.votes.length ? `; ${step.votes.length} of ${step.wanted} asked` : "";
  return parts.join(", ") + fewer;
}

const LONGEST_NAME = 1_000; // characters of an id, a cause or a reason that are shown

export function Shown({ children }: { children: string }) {
  return <bdi>{visible(children.length > LONGEST_NAME ? `${children.slice(0, LONGEST_NAME)}…` : children)}</bdi>;
}

export function Message({ kind, children }: { kind: "error" | "note"; children: ComponentChildren }) {
  return (
    <p class={`message ${kind}`} role={kind === "error" ? "alert" : undefined}>
      {children}
    </p>
  );
}

/** What a promise gives, and what went wrong; asked again when one of `keys` changes. */
export function useLoaded<T>(load: () => Promise<T>, keys: unknown[]): { value: T | null; error: string | null } {
  const [state, setState] = useState<{ value: T | null; error: string | null }>({ value: null, error: null });
  useEffect(() => {
    let current = true;
    load().then(
      (value) => current && setState({ value, error: null }),
      (error: unknown) => current && setState({ value: null, error: String((error as Error).message ?? error) }),
    );
    return () => {
      current = false;
    };
  }, keys);
  return state;
}

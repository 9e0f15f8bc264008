/** The data of a page that `genprm view` or `genprm serve` serves. */

import { queryParameters } from "./route";
import type {
  Comparison,
  CorrectionRequest,
  CorrectionState,
  Document,
  FunnelStage,
  LiveEvent,
  Meta,
  Page,
  Query,
  Source,
} from "./types";

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(
    `./api/${path}`,
    body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  );
  if (!answer.ok) throw new Error(await reason(answer));
  return (await answer.json()) as T;
}

async function reason(answer: Response): Promise<string> {
  try {
    const { error } = (await answer.json()) as { error?: { message: string; fix: string } };
    if (error) return error.fix ? `${error.message}; fix: ${error.fix}` : error.message;
  } catch {
    // no JSON: the status says it
  }
  return `the server answered ${answer.status}`;
}

export class ServerSource implements Source {
  readonly readOnly = false;

  meta(): Promise<Meta> {
    return ask("runs");
  }

  entries(run: number, query: Query, offset: number, limit: number): Promise<Page> {
    const parameters = queryParameters(query);
    parameters.set("offset", String(offset));
    parameters.set("limit", String(limit));
    return ask(`runs/${run}/entries?${parameters}`);
  }

  entry(run: number, index: number): Promise<Document> {
    return ask(`runs/${run}/entries/${index}`);
  }

  async funnel(run: number): Promise<FunnelStage[]> {
    return (await ask<{ stages: FunnelStage[] }>(`runs/${run}/funnel`)).stages;
  }

  corrections(run: number): Promise<CorrectionState> {
    return ask(`runs/${run}/corrections`);
  }

  correct(run: number, request: CorrectionRequest): Promise<CorrectionState> {
    return ask(`runs/${run}/corrections`, request);
  }

  compare(a: number, b: number): Promise<Comparison> {
    return ask(`compare/${a}/${b}`);
  }

  async split(solution: string): Promise<string[]> {
    return (await ask<{ steps: string[] }>("split", { solution })).steps;
  }

  async live(
    problem: string,
    steps: string[],
    votes: number,
    onEvent: (event: LiveEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await fetch("./api/live", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ problem, steps, votes }),
      signal,
    });
    if (!answer.ok || !answer.body) throw new Error(await reason(answer));
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const { events, rest } = parseEvents(buffer + value);
      buffer = rest;
      events.forEach(onEvent);
    }
  }
}

/** The whole server-sent events of a text, and what is left of it. */
export function parseEvents(text: string): { events: LiveEvent[]; rest: string } {
  const blocks = text.split("\n\n");
  const rest = blocks.pop() ?? "";
  const events: LiveEvent[] = [];
  for (const block of blocks) {
    const name = /^event: (.*)$/m.exec(block)?.[1];
    const data = /^data: (.*)$/m.exec(block)?.[1];
    if (name && data) events.push({ ...(JSON.parse(data) as object), name } as LiveEvent);
  }
  return { events, rest };
}

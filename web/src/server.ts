/** The data of a page that `genprm view` or `genprm serve` serves. */

import { keyHeaders, NeedsKey } from "./key";
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
  PairPlace,
  Place,
  Query,
  Source,
} from "./types";

async function request(path: string, body?: unknown, more: RequestInit = {}): Promise<Response> {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const answer = await fetch(`./api/${path}`, {
    ...more,
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    headers: { ...json, ...keyHeaders(), ...(more.headers as Record<string, string>) },
  });
  if (answer.status === 401) throw new NeedsKey();
  if (!answer.ok) throw new Error(await reason(answer));
  return answer;
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  return (await (await request(path, body)).json()) as T;
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
  private early: { name: string; page: Promise<Page> } | null = null;

  meta(): Promise<Meta> {
    return ask("runs");
  }

  /** Ask for the first rows of a list before the page knows that the run exists. */
  expect(run: number, query: Query): void {
    const page = this.entries(run, query, 0, 100);
    page.catch(() => undefined); // whoever shows the list is told
    this.early = { name: listPath(run, query, 0, 100), page };
  }

  entries(run: number, query: Query, offset: number, limit: number): Promise<Page> {
    const name = listPath(run, query, offset, limit);
    const early = this.early?.name === name ? this.early.page : null;
    this.early = null; // used once: later questions may have other answers
    return early ?? ask(name);
  }

  entry(run: number, index: number): Promise<Document> {
    return ask(`runs/${run}/entries/${index}`);
  }

  place(run: number, index: number, query: Query): Promise<Place> {
    return ask(`runs/${run}/place/${index}?${queryParameters(query)}`);
  }

  async funnel(run: number): Promise<FunnelStage[]> {
    return (await ask<{ stages: FunnelStage[] }>(`runs/${run}/funnel`)).stages;
  }

  corrections(run: number): Promise<CorrectionState> {
    return ask(`runs/${run}/corrections`);
  }

  correct(run: number, correction: CorrectionRequest): Promise<CorrectionState> {
    return ask(`runs/${run}/corrections`, correction);
  }

  async download(run: number, name: "chats" | "labelled"): Promise<Blob> {
    return (await request(`runs/${run}/corrections/${name}.jsonl`)).blob();
  }

  compare(a: number, b: number, offset: number, limit: number): Promise<Comparison> {
    return ask(`compare/${a}/${b}?offset=${offset}&limit=${limit}`);
  }

  pairPlace(a: number, b: number, left: number, right: number): Promise<PairPlace> {
    return ask(`compare/${a}/${b}/place/${left}/${right}`);
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
    const asked = { problem, steps, votes };
    const answer = await request("live", asked, { headers: { accept: "text/event-stream" }, signal });
    if (!answer.body) throw new Error("the server sent no events");
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

function listPath(run: number, query: Query, offset: number, limit: number): string {
  const parameters = queryParameters(query);
  parameters.set("offset", String(offset));
  parameters.set("limit", String(limit));
  return `runs/${run}/entries?${parameters}`;
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

/** The data of an exported page: scripts beside it, loaded as they are needed. */

import type {
  Comparison,
  CorrectionState,
  Document,
  FunnelStage,
  Meta,
  Page,
  Pair,
  PairPlace,
  Place,
  Query,
  Source,
  Summary,
} from "./types";

interface List {
  entries: Summary[];
  fingerprints: string[];
}

declare global {
  // eslint-disable-next-line no-var
  var genprmBundle: Record<string, string> | undefined;
}

const READ_ONLY = "this page was exported: open the run with genprm view to do that";

export class BundleSource implements Source {
  readonly readOnly = true;
  private readonly chunk: number;
  private readonly parsed = new Map<string, Promise<unknown>>();

  constructor() {
    const index = JSON.parse(globalThis.genprmBundle?.["index"] ?? "{}") as { chunk?: number };
    this.chunk = index.chunk ?? 25;
  }

  meta(): Promise<Meta> {
    return this.load("index");
  }

  async entries(run: number, query: Query, offset: number, limit: number): Promise<Page> {
    const found = await this.matching(run, query);
    return { total: found.length, entries: found.slice(offset, offset + limit) };
  }

  async place(run: number, index: number, query: Query): Promise<Place> {
    const found = (await this.matching(run, query)).map((row) => row.index);
    const at = found.indexOf(index);
    if (at < 0) return { place: null, total: found.length, before: null, after: null };
    return { place: at, total: found.length, before: found[at - 1] ?? null, after: found[at + 1] ?? null };
  }

  async entry(run: number, index: number): Promise<Document> {
    const rows = await this.load<Document[]>(`${run}/rows-${Math.floor(index / this.chunk)}`);
    const row = rows[index % this.chunk];
    if (!row) throw new Error(`row ${index} is not in this run`);
    return row;
  }

  async funnel(run: number): Promise<FunnelStage[]> {
    return (await this.load<{ stages: FunnelStage[] }>(`${run}/funnel`)).stages;
  }

  corrections(run: number): Promise<CorrectionState> {
    return this.load(`${run}/corrections`);
  }

  async compare(a: number, b: number, offset: number, limit: number): Promise<Comparison> {
    const whole = await this.pairs(a, b);
    return { ...whole, pairs: whole.pairs.slice(offset, offset + limit) };
  }

  async pairPlace(a: number, b: number, left: number, right: number): Promise<PairPlace> {
    const { pairs } = await this.pairs(a, b);
    const at = pairs.findIndex((pair) => pair.a.index === left && pair.b.index === right);
    const place = (pair: Pair | undefined): [number, number] | null => (pair ? [pair.a.index, pair.b.index] : null);
    if (at < 0) return { place: null, total: pairs.length, before: null, after: null };
    return { place: at, total: pairs.length, before: place(pairs[at - 1]), after: place(pairs[at + 1]) };
  }

  private async pairs(a: number, b: number): Promise<Comparison> {
    const [left, right] = await Promise.all([this.load<List>(`${a}/list`), this.load<List>(`${b}/list`)]);
    const waiting = new Map<string, Summary[]>();
    right.fingerprints.forEach((name, index) => {
      const own = waiting.get(name) ?? [];
      own.push(right.entries[index]!);
      waiting.set(name, own);
    });
    const pairs: Pair[] = [];
    left.fingerprints.forEach((name, index) => {
      const mine = left.entries[index]!;
      const other = waiting.get(name)?.shift();
      if (!other) return;
      const known = mine.wrong !== null && other.wrong !== null;
      const differs = mine.first_error !== other.first_error || (known && mine.wrong !== other.wrong);
      pairs.push({ a: mine, b: other, differs, gap: Math.abs((mine.lowest ?? 0) - (other.lowest ?? 0)) });
    });
    pairs.sort((x, y) => Number(y.differs) - Number(x.differs) || y.gap - x.gap || x.a.index - y.a.index);
    return {
      total: pairs.length,
      pairs,
      differing: pairs.filter((pair) => pair.differs).length,
      only_a: left.entries.length - pairs.length,
      only_b: right.entries.length - pairs.length,
    };
  }

  correct(): Promise<never> {
    return Promise.reject(new Error(READ_ONLY));
  }

  split(): Promise<never> {
    return Promise.reject(new Error(READ_ONLY));
  }

  live(): Promise<never> {
    return Promise.reject(new Error(READ_ONLY));
  }

  download(): Promise<never> {
    return Promise.reject(new Error(READ_ONLY));
  }

  private async matching(run: number, query: Query): Promise<Summary[]> {
    const { entries } = await this.load<List>(`${run}/list`);
    const found: Summary[] = [];
    for (const entry of entries.filter((summary) => passes(summary, query))) {
      if (!query.q.trim() || (await this.contains(run, entry.index, query))) found.push(entry);
    }
    return order(found, query);
  }

  private async contains(run: number, index: number, query: Query): Promise<boolean> {
    const text = textOf(await this.entry(run, index), query.within).toLowerCase();
    return words(query.q).every((word) => text.includes(word));
  }

  private load<T>(name: string): Promise<T> {
    const known = this.parsed.get(name) ?? this.script(name).then((text) => JSON.parse(text) as unknown);
    this.parsed.set(name, known);
    return known as Promise<T>;
  }

  private script(name: string): Promise<string> {
    const there = globalThis.genprmBundle?.[name];
    if (there !== undefined) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `./data/${name}.js`;
      script.onload = () => {
        const text = globalThis.genprmBundle?.[name];
        if (globalThis.genprmBundle) delete globalThis.genprmBundle[name];
        script.remove();
        if (text === undefined) reject(new Error(`data/${name}.js holds no data`));
        else resolve(text);
      };
      script.onerror = () => reject(new Error(`data/${name}.js is missing`));
      document.head.append(script);
    });
  }
}

export function words(text: string): string[] {
  return [...text.toLowerCase().matchAll(/"([^"]+)"|([\p{L}\p{N}_]+)/gu)].map((m) => m[1] ?? m[2] ?? "");
}

function textOf(row: Document, within: string): string {
  const votes = row.steps.flatMap((step) => step.votes);
  const parts: Record<string, string[]> = {
    problem: [row.id, row.problem],
    steps: [...row.steps.map((step) => step.text), ...row.turns.map((turn) => turn.text)],
    analysis: [...votes.map((vote) => vote.analysis), ...row.critiques],
    code: votes.flatMap((vote) => vote.runs.flatMap((run) => [run.code, run.output])),
  };
  return (within ? (parts[within] ?? []) : Object.values(parts).flat()).join("\n");
}

export function passes(row: Summary, query: Query): boolean {
  if (query.wrong && row.wrong !== true) return false;
  if (query.disagree && !(row.disagreement > 0)) return false;
  if (query.abstained && !row.abstained) return false;
  if (query.code_failed && !row.code_failed) return false;
  if (query.failed && row.failed === null) return false;
  if (query.verdict === "correct" && row.first_error !== -1) return false;
  if (query.verdict === "error" && !(row.first_error !== null && row.first_error >= 0)) return false;
  if (query.verdict === "undecided" && !(row.first_error === null && /^(solution|refinement)$/.test(row.kind))) return false;
  if (query.low === "" && query.high === "") return true;
  const low = query.low === "" ? -Infinity : Number(query.low);
  const high = query.high === "" ? Infinity : Number(query.high);
  const rewards = query.of === "lowest" ? [row.lowest] : row.rewards;
  return rewards.some((reward) => reward !== null && reward >= low && reward <= high);
}

function order(rows: Summary[], query: Query): Summary[] {
  const key = (row: Summary) => (query.sort === "number" ? row.index : row[query.sort as keyof Summary]);
  const sign = query.descending ? -1 : 1;
  return rows.sort((x, y) => {
    const [a, b] = [key(x), key(y)];
    if (a === null || b === null) return Number(a === null) - Number(b === null) || x.index - y.index;
    return a < b! ? -sign : a > b! ? sign : x.index - y.index;
  });
}

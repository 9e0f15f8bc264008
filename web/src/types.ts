/** What the server sends: `genprm.viewer.documents` and `genprm.viewer.library` in TypeScript. */

export type Label = boolean | null;

export interface Evidence {
  run: number;
  output_line: number;
  start: number;
  end: number;
  code_line: number | null;
}

export interface CodeRun {
  code: string;
  output: string;
  status: string;
}

export interface Usage {
  tokens_in: number;
  tokens_out: number;
  executions: number;
  seconds: number;
}

export interface Vote {
  reward: number | null;
  label: Label;
  analysis: string;
  runs: CodeRun[];
  flags: string[];
  text: string;
  usage: Usage;
  cause: string | null;
  label_mass: number | null;
  review_at: number | null; // the step that holds its text: a review of the whole solution
  evidence: Evidence | null;
  author: string;
}

export interface Step {
  text: string;
  reward: number | null;
  label: Label;
  judged: boolean;
  wanted: number;
  votes: Vote[];
  model: string | null; // that cast the votes
  screening: Step | null;
  mc: number | null;
  progress: number | null;
}

export interface Candidate {
  steps: number[];
  text: string;
  answer: string | null;
  correct: boolean | null;
  chosen: boolean;
  chosen_by: string[];
}

export interface Turn {
  request: string | null;
  text: string;
  steps: number[];
  score: number | null;
  first_error: number | null;
  answer: string | null;
  correct: boolean | null;
  chosen: boolean;
}

export interface TreeNode {
  id: number;
  parent: number;
  step: number;
  value: number | null;
  complete: boolean;
  kept: boolean;
  on_choice: boolean;
}

export interface Document {
  kind: "solution" | "pool" | "refinement" | "search" | "path" | "failed" | "unreadable";
  index: number;
  id: string;
  problem: string;
  answer: string | null;
  first_error: number | null;
  label: number | null;
  failed: string | null;
  stop: string | null;
  usage: Usage;
  steps: Step[];
  critiques: string[];
  candidates: Candidate[];
  turns: Turn[];
  tree: TreeNode[];
}

export interface Summary {
  index: number;
  id: string;
  kind: Document["kind"];
  problem: string;
  steps: number;
  rewards: (number | null)[];
  first_error: number | null;
  label: number | null;
  wrong: boolean | null;
  lowest: number | null;
  disagreement: number;
  abstained: number;
  code_failed: number;
  tokens: number;
  failed: string | null;
}

export interface Facts {
  rows: number;
  correct: number;
  error: number;
  failed: number;
  labelled: number;
  wrong: number;
  disagree: number;
  abstained: number;
  code_failed: number;
  steps: number;
  tokens: number;
}

export interface RunInfo {
  number: number;
  name: string;
  path: string;
  rows: number; // that can be shown already
  indexed: number; // how much of the run that is, 0 to 1
  failed: string | null; // why the run cannot be read
  command: string;
  model: string;
  version: string;
  settings: Record<string, unknown>;
  curation: boolean;
  facts: Facts;
}

export interface Meta {
  runs: RunInfo[];
  live: boolean;
  bundle: boolean;
}

export interface Query {
  q: string;
  within: string;
  verdict: string;
  wrong: boolean;
  disagree: boolean;
  abstained: boolean;
  code_failed: boolean;
  failed: boolean;
  low: string;
  high: string;
  of: string;
  sort: string;
  descending: boolean;
}

export interface Page {
  total: number;
  entries: Summary[];
}

export interface Place {
  place: number | null; // from 0
  total: number;
  before: number | null;
  after: number | null;
}

export interface PairPlace {
  place: number | null;
  total: number;
  before: [number, number] | null;
  after: [number, number] | null;
}

export interface FunnelStage {
  name: string;
  count: number;
  lost: Record<string, number>;
}

export interface Correction {
  at: string;
  index: number;
  id: string;
  step: number;
  vote: number | null;
  was: Label;
  label: Label;
  reason: string;
}

export interface CorrectionState {
  corrections: Correction[];
  chats: number;
  labelled: number;
  left_out: string[];
}

export interface CorrectionRequest {
  index: number;
  step: number;
  vote: number | null;
  label: Label;
  reason: string;
}

export interface Pair {
  a: Summary;
  b: Summary;
  differs: boolean;
  gap: number;
}

export interface Comparison {
  total: number;
  pairs: Pair[];
  differing: number;
  only_a: number;
  only_b: number;
}

/** A vote as far as it has come: its turn, the code that is running, and at last the whole vote. */
export interface VoteProgress {
  step: number;
  index: number;
  text: string;
  running: string | null;
  vote: Vote | null;
}

export type LiveEvent =
  | { name: "begin"; model: string; steps: number }
  | ({ name: "vote" } & VoteProgress)
  | { name: "step"; index: number; step: Step }
  | { name: "done"; judged: number }
  | { name: "error"; error: string };

/** Where the page gets its data: a server, or files beside it. */
export interface Source {
  readonly readOnly: boolean;
  meta(): Promise<Meta>;
  entries(run: number, query: Query, offset: number, limit: number): Promise<Page>;
  entry(run: number, index: number): Promise<Document>;
  funnel(run: number): Promise<FunnelStage[]>;
  corrections(run: number): Promise<CorrectionState>;
  correct(run: number, request: CorrectionRequest): Promise<CorrectionState>;
  place(run: number, index: number, query: Query): Promise<Place>;
  compare(a: number, b: number, offset: number, limit: number): Promise<Comparison>;
  pairPlace(a: number, b: number, left: number, right: number): Promise<PairPlace>;
  download(run: number, name: "chats" | "labelled"): Promise<Blob>;
  split(solution: string): Promise<string[]>;
  live(
    problem: string,
    steps: string[],
    votes: number,
    onEvent: (event: LiveEvent) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

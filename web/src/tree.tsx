/** A search tree, drawn: every node is a step, its colour the reward, the chosen path strong. */

import { CandidateLine } from "./pool";
import { StepCard, type StepActions } from "./step";
import type { Document, TreeNode } from "./types";
import { band, number } from "./ui";

interface Placed {
  node: TreeNode;
  x: number;
  y: number;
}

const ACROSS = 92;
const DOWN = 38;
const EDGE = 22;

/** Depth gives x; leaves are put one under the other, and a parent in the middle of its children. */
export function layout(tree: TreeNode[]): { placed: Map<number, Placed>; width: number; height: number } {
  const children = new Map<number, TreeNode[]>();
  const ids = new Set(tree.map((node) => node.id));
  for (const node of tree) {
    const parent = ids.has(node.parent) && node.parent < node.id ? node.parent : 0;
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const placed = new Map<number, Placed>();
  let leaf = 0;
  let deepest = 0;
  const place = (node: TreeNode, depth: number): number => {
    deepest = Math.max(deepest, depth);
    const own = children.get(node.id) ?? [];
    const rows = own.map((child) => place(child, depth + 1));
    const y = rows.length ? (rows[0]! + rows[rows.length - 1]!) / 2 : leaf++ * DOWN + EDGE;
    placed.set(node.id, { node, x: depth * ACROSS + EDGE, y });
    return y;
  };
  for (const node of children.get(0) ?? []) place(node, 1);
  return { placed, width: (deepest + 0.6) * ACROSS + EDGE, height: Math.max(leaf, 1) * DOWN + EDGE };
}

interface Properties {
  row: Document;
  step: number | null;
  actions: StepActions | null;
}

export function SearchTree({ row, step, actions }: Properties) {
  const { placed, width, height } = layout(row.tree);
  const root = { x: EDGE, y: height / 2 };
  const chosen = row.tree.find((node) => node.step === step);
  const path = chosen ? ancestors(row.tree, chosen) : row.tree.filter((node) => node.on_choice);
  return (
    <div class="search-result">
      <figure class="tree" tabIndex={0} aria-label={`Search tree with ${row.tree.length} steps`}>
        <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          {[...placed.values()].map(({ node, x, y }) => {
            const from = placed.get(node.parent) ?? root;
            const middle = (from.x + x) / 2;
            return (
              <path
                class={`edge ${node.on_choice ? "on-choice" : ""} ${node.kept ? "" : "pruned"}`}
                d={`M${from.x} ${from.y} C${middle} ${from.y} ${middle} ${y} ${x} ${y}`}
              />
            );
          })}
          <circle class="root" cx={root.x} cy={root.y} r={6} />
          {[...placed.values()].map(({ node, x, y }) => {
            const reward = row.steps[node.step]?.reward ?? null;
            return (
              <a
                href={actions ? actions.link(node.step, null) : "#/"}
                aria-label={`Step ${node.id}, reward ${number(reward)}${node.kept ? "" : ", pruned"}${node.on_choice ? ", on the chosen path" : ""}`}
              >
                <circle class={`node ${band(reward)} ${node.step === step ? "current" : ""} ${node.on_choice ? "on-choice" : ""}`} cx={x} cy={y} r={node.complete ? 10 : 8} />
                <text x={x} y={y - 13} text-anchor="middle">
                  {number(reward)}
                </text>
              </a>
            );
          })}
        </svg>
        <figcaption class="faint">
          {row.tree.length} steps; dashed lines lead to steps that were not followed; the strong line is the chosen
          solution.
        </figcaption>
      </figure>
      <section aria-label="Path">
        <h2>{chosen ? `The path to step ${chosen.id}` : "The chosen solution"}</h2>
        <ol class="steps">
          {path.map((node, at) => {
            const own = row.steps[node.step];
            return own ? (
              <StepCard
                key={node.id}
                step={own}
                number={node.step}
                place={at + 1}
                open={node.step === step}
                current={node.step === step}
                vote={null}
                truth={null}
                first={false}
                actions={actions}
              />
            ) : null;
          })}
        </ol>
      </section>
      {row.candidates.length > 0 && (
        <section aria-label="Solutions found">
          <h2>Solutions found, the best first</h2>
          <ol class="candidates">
            {row.candidates.map((candidate, at) => (
              <li class="candidate">
                <CandidateLine row={row} candidate={candidate} at={at} />
              </li>
            ))}
          </ol>
        </section>
      )}
    </div>
  );
}

function ancestors(tree: TreeNode[], from: TreeNode): TreeNode[] {
  const byId = new Map(tree.map((node) => [node.id, node]));
  const path: TreeNode[] = [];
  for (let at: TreeNode | undefined = from; at && !path.includes(at); at = byId.get(at.parent)) path.unshift(at);
  return path;
}

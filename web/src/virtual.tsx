/** A list of any length of which only what is seen is in the page. */

import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

interface Properties<T> {
  total: number;
  label: string;
  cursor: number;
  load: (offset: number, limit: number) => Promise<T[]>;
  version: string; // another one: what was loaded is forgotten
  head?: ComponentChildren; // stands above the rows
  render: (row: T, index: number) => ComponentChildren;
}

const PAGE = 100;
const MARGIN = 8; // rows beyond the edge

export function VirtualList<T>({ total, label, cursor, load, version, head, render }: Properties<T>) {
  const scroller = useRef<HTMLDivElement>(null);
  const pages = useRef(new Map<number, T[] | null>());
  const known = useRef({ version, total });
  const [, redraw] = useState(0);
  const [view, setView] = useState({ top: 0, height: 800, row: 76 });

  if (known.current.version !== version) pages.current = new Map();
  else if (known.current.total !== total) {
    for (const [page, rows] of pages.current) if ((rows?.length ?? 0) < PAGE) pages.current.delete(page);
  }
  known.current = { version, total };

  useLayoutEffect(() => {
    const node = scroller.current;
    if (!node) return;
    const measure = () => {
      const row = parseFloat(getComputedStyle(node).getPropertyValue("--row")) || 76;
      setView({ top: node.scrollTop, height: node.clientHeight, row });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(node);
    node.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      node.removeEventListener("scroll", measure);
    };
  }, []);

  const first = Math.max(0, Math.floor(view.top / view.row) - MARGIN);
  const last = Math.min(total, Math.ceil((view.top + view.height) / view.row) + MARGIN);

  useEffect(() => {
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) {
      if (pages.current.has(page)) continue;
      const mine = pages.current;
      mine.set(page, null);
      load(page * PAGE, PAGE).then(
        (rows) => {
          mine.set(page, rows);
          redraw((n) => n + 1);
        },
        () => mine.delete(page),
      );
    }
  });

  useLayoutEffect(() => {
    const node = scroller.current;
    if (!node || cursor < 0) return;
    const top = cursor * view.row;
    if (top < node.scrollTop) node.scrollTop = top;
    else if (top + view.row > node.scrollTop + node.clientHeight) {
      node.scrollTop = top + view.row - node.clientHeight;
    }
  }, [cursor]);

  const rows = [];
  for (let index = first; index < last; index++) {
    const row = pages.current.get(Math.floor(index / PAGE))?.[index % PAGE];
    rows.push(
      <li
        key={index}
        class={`row ${index === cursor ? "cursor" : ""}`}
        style={{ top: `${index * view.row}px` }}
        aria-setsize={total}
        aria-posinset={index + 1}
      >
        {row === undefined || row === null ? <span class="row-waiting">…</span> : render(row, index)}
      </li>,
    );
  }
  return (
    <div class="scroller" ref={scroller} tabIndex={0} role="region" aria-label={label}>
      {head}
      <ul class="rows" style={{ height: `${total * view.row}px` }}>
        {rows}
      </ul>
    </div>
  );
}

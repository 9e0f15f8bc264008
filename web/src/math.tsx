/** Formulas, rendered by KaTeX, which is loaded after the first page has been drawn. */

import type { KatexOptions } from "katex";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { visible } from "./visible";

interface Katex {
  render(formula: string, node: HTMLElement, options: KatexOptions): void;
}

const LONGEST_FORMULA = 4_000; // characters; a longer one is shown as text

let loading: Promise<void> | null = null;

const katex = () => (globalThis as { katex?: Katex }).katex;

/** Load KaTeX once. Where it cannot be loaded, formulas stay text. */
export function loadKatex(): Promise<void> {
  loading ??= new Promise((resolve) => {
    const script = document.createElement("script");
    script.src = "./katex.js";
    script.onload = script.onerror = () => resolve();
    document.head.append(script);
  });
  return loading;
}

export function Formula({ text, display }: { text: string; display: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  const [loaded, setLoaded] = useState(katex() !== undefined);
  useLayoutEffect(() => {
    const node = place.current;
    if (!node) return;
    if (!loaded) {
      node.textContent = visible(text);
      void loadKatex().then(() => setLoaded(true));
      return;
    }
    try {
      const renderer = katex();
      if (text.length > LONGEST_FORMULA || !renderer) throw new Error("stays text");
      renderer.render(text, node, {
        displayMode: display,
        throwOnError: true,
        trust: false,
        errorColor: "currentColor",
        strict: "ignore",
        maxExpand: 200,
        maxSize: 20,
      });
    } catch {
      node.textContent = visible(text);
      node.className = "formula-text";
    }
  }, [text, display, loaded]);
  return <span ref={place} class={display ? "formula display" : "formula"} />;
}

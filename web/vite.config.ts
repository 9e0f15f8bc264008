import { readFileSync } from "node:fs";

import { defineConfig, type Plugin } from "vite";

// KaTeX names three formats of every font; browsers of today read the first.
const woff2Only = {
  name: "woff2-only",
  enforce: "pre" as const,
  transform(code: string, id: string): string | undefined {
    if (!/katex.*\.css/.test(id)) return undefined;
    return code.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, "");
  },
};

// KaTeX is a script of its own: the list is drawn before it is read.
const katexApart: Plugin = {
  name: "katex-apart",
  generateBundle() {
    const source = readFileSync("node_modules/katex/dist/katex.min.js", "utf-8");
    this.emitFile({ type: "asset", fileName: "katex.js", source });
  },
};

// A classic script and fixed names: the same files are served, and opened from disk.
const classicScript = {
  name: "classic-script",
  transformIndexHtml: (html: string): string =>
    html.replace(/<script type="module" crossorigin/g, "<script defer").replace(/ crossorigin/g, ""),
};

export default defineConfig({
  base: "./",
  plugins: [woff2Only, katexApart, classicScript],
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: {
    outDir: "../src/genprm/viewer/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      output: {
        format: "iife",
        entryFileNames: "app.js",
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".css")) ? "app.css" : "fonts/[name][extname]",
      },
    },
  },
});

// The page's files: read once, sent with fields that let the browser do nothing else than show them. It knows no
// records.
import { readFile } from "node:fs/promises";

/** One file of the page. */
export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
}

/** The same folder seen from `src/` and from `dist/`. */
const FOLDER = new URL("../assets/", import.meta.url);

/** The files: nothing else can be asked for. */
const FILES: readonly string[] = [
  "index.html",
  "base.css",
  "list.css",
  "timeline.css",
  "narrow.css",
  "icon.svg",
  "inspector.js",
  "bytes.js",
  "chunk-view.js",
  "dom.js",
  "empty-view.js",
  "event-view.js",
  "format.js",
  "list-view.js",
  "message-view.js",
  "recording.js",
  "rows.js",
  "strings.js",
  "timeline-view.js",
];

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** Reads all files of the page. @throws when one is missing: the package is then not whole. */
export async function loadPage(): Promise<ReadonlyMap<string, Asset>> {
  const assets = FILES.map(async (name): Promise<[string, Asset]> => {
    const path = name === "index.html" ? "/" : `/${name}`;
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    return [path, { type, bytes: await readFile(new URL(name, FOLDER)) }];
  });
  return new Map(await Promise.all(assets));
}

/** Fields of every answer: only this page's own scripts and styles, no frames, nothing kept, nothing guessed. */
export const guardFields: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; "),
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

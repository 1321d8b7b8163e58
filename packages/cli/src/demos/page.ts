// The page at `GET /`: what this server is, and what there is to ask of it. One small file, no script.
import type { Language, MessageKey, Translate } from "../messages/index.ts";

/** A route as the page shows it. */
interface Shown {
  readonly method: "GET" | "POST";
  /** As a person reads it. */
  readonly path: string;
  /** Where a click leads, for what a browser can ask by itself. */
  readonly link?: string;
  readonly about: MessageKey;
}

const shown: readonly Shown[] = [
  { method: "GET", path: "/hello", link: "/hello", about: "route.hello" },
  { method: "POST", path: "/echo", about: "route.echo" },
  { method: "GET", path: "/headers", link: "/headers", about: "route.headers" },
  { method: "GET", path: "/stream?n=", link: "/stream?n=10", about: "route.stream" },
  { method: "GET", path: "/bytes?n=", link: "/bytes?n=1024", about: "route.bytes" },
  { method: "GET", path: "/events", link: "/events", about: "route.events" },
  { method: "GET", path: "/healthz", link: "/healthz", about: "route.healthz" },
];

const files: Shown = { method: "GET", path: "/files/…", about: "route.files" };

/** Fields of the page: it runs nothing and loads nothing. */
export const pageFields: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
  "X-Content-Type-Options": "nosniff",
};

/** `host` is what the reader's browser calls this server; `files` says whether there are any. */
export function page(
  say: Translate,
  language: Language,
  { host, files: withFiles }: { readonly host: string; readonly files: boolean },
): string {
  const rows = (withFiles ? [...shown, files] : shown).map(({ method, path, link, about }) => {
    const target = link === undefined ? path : `<a href="${link}">${path}</a>`;
    return `<tr><td><code>${method}</code><td><code>${target}</code><td>${escape(say(about))}`;
  });
  return `<!doctype html>
<html lang="${language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tcpkit http</title>
<style>
:root { color-scheme: light dark; --quiet: color-mix(in srgb, currentcolor 18%, transparent) }
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 12vh auto 4rem; padding: 0 1.25rem }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem }
table { border-collapse: collapse; width: 100%; margin: 1.5rem 0 }
td { border-top: 1px solid var(--quiet); padding: .45rem .75rem .45rem 0; vertical-align: top }
code, pre { font: .9em ui-monospace, monospace }
pre { background: var(--quiet); border-radius: .4rem; padding: .6rem .8rem; overflow-x: auto }
</style>
<main>
<h1>tcpkit http</h1>
<p>${escape(say("page.about"))}
<table>
${rows.join("\n")}
</table>
<p>${escape(say("page.try"))}
<pre>curl -i --data 'hello' http://${escape(host)}/echo</pre>
</main>
</html>
`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

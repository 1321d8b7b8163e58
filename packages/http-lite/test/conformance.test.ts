// docs/conformance/http.md: what is demanded, and what we answer. The page is made from what sessions do with the vectors
// in this run, so that it cannot promise what is not so. `UPDATE_DOCS=1 pnpm vitest run conformance` writes it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { outputText } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
import type { HttpEvent, HttpSession } from "../src/index.ts";
import { CHAPTERS } from "./conformance-demands.ts";
import type { Demand } from "./conformance-demands.ts";
import { answer, clientSession, REPLY_VECTORS, REQUEST_VECTORS, serverSession, vectors } from "./play.ts";
import type { Vector } from "./play.ts";

const FOLDER = new URL("../../../docs/conformance/", import.meta.url);
const PAGE = new URL("http.md", FOLDER);
const DEMANDS = CHAPTERS.flatMap(({ demands }) => demands);

interface Case {
  readonly ref: string;
  readonly name: string;
  readonly message: "request" | "reply";
  readonly answer: string;
}

const CASES: readonly Case[] = [
  ...REQUEST_VECTORS.flatMap((file) =>
    vectors(file).map((vector) => caseOf(vector, "request", answerOfServer(vector))),
  ),
  ...REPLY_VECTORS.flatMap((file) =>
    vectors(file).map((vector) => caseOf(vector, "reply", answerOfClient(vector))),
  ),
];

function caseOf({ ref, name }: Vector, message: Case["message"], said: string): Case {
  return { ref, name, message, answer: said };
}

/** The cases that belong to a demand: those with one of its sections that no demand before it has taken. */
function casesOf(demand: Demand): Case[] {
  return CASES.filter(({ ref }) => DEMANDS.find(({ sections }) => sections.includes(ref)) === demand);
}

/** What a server says to a vector: a status for each reply, and whether it closes. */
function answerOfServer(vector: Vector): string {
  const session = serverSession(vector);
  return feed(session, vector, (event) => {
    const reply = answer(event);
    if (reply === undefined || session.finished) return undefined;
    const text = outputText(session.send(reply));
    const close = text.includes("\r\nConnection: close\r\n") ? " and close" : "";
    const why = event.type === "error" ? `: \`${event.error.code}\`` : "";
    return text.slice("HTTP/1.1 ".length, "HTTP/1.1 200".length) + close + why;
  });
}

/** What a client makes of a vector: the statuses that it takes, and what it refuses. */
function answerOfClient(vector: Vector): string {
  return feed(clientSession(vector), vector, (event) => {
    if (event.type === "response") return `${event.status}${event.switches ? " and another protocol" : ""}`;
    if (event.type === "informational") return String(event.status);
    return event.type === "error" ? `refused: \`${event.error.code}\`` : undefined;
  });
}

/** Feeds a vector, whole, and joins what is said to its events; what is said again and again is counted. */
function feed(
  session: HttpSession,
  { input }: Vector,
  say: (event: HttpEvent) => string | undefined,
): string {
  const said: { readonly text: string; times: number }[] = [];
  const pull = (): void => {
    for (let event = session.next(); event !== undefined; event = session.next()) {
      const text = say(event);
      const last = said.at(-1);
      if (text !== undefined && text === last?.text) last.times += 1;
      else if (text !== undefined) said.push({ text, times: 1 });
    }
  };
  session.receive(Buffer.from(input, "latin1"));
  pull();
  session.end();
  pull();
  if (said.length === 0) return "nothing";
  return said.map(({ text, times }) => (times === 1 ? text : `${text}, ${times} times`)).join(", then ");
}

function page(): string {
  const blocks = [
    "<!-- Made by `UPDATE_DOCS=1 pnpm vitest run conformance` in packages/http-lite. Do not edit. -->",
    "# HTTP/1.1: what is demanded, and what we answer",
    "Where an RFC leaves a choice, [`@tcpkit/http-lite`](../../packages/http-lite) refuses. Each row is a " +
      "[vector](../../packages/http-lite/vectors): its bytes are fed to a session whole, byte by byte and cut at every " +
      "point, and the answer is what the session said in the test run that made this page. For a request that is what " +
      "the server sends, for a reply what the client takes. What is not about decoding names the " +
      "[tests](../../packages/http-lite/test) that show it.",
  ];
  for (const { title, demands } of CHAPTERS) {
    blocks.push(`## ${title}`);
    for (const demand of demands) blocks.push(...section(demand));
  }
  return `${blocks.join("\n\n")}\n`;
}

function section(demand: Demand): string[] {
  const blocks = [`### ${demand.sections.map(heading).join(", ")}`];
  if (demand.demand !== "") blocks.push(demand.demand);
  const cases = casesOf(demand);
  if (cases.length > 0) {
    const rows = cases.map((row) => [plainText(row.name), row.message, row.answer]);
    blocks.push(table([["what comes", "in a", "answer"], ...rows]));
  }
  const tests = demand.tests ?? [];
  if (tests.length > 0) {
    blocks.push(
      tests
        .map((test) => `- ${plainText(nameOf(test))} (\`${fileOf(test).replace(/.*\//, "")}\`)`)
        .join("\n"),
    );
  }
  return blocks;
}

function heading(section: string): string {
  const text = plainText(section.replace(/^CVE class: /, ""));
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Without what Markdown would take for its own. */
function plainText(text: string): string {
  return text.replaceAll(/[\\*<|`]|__/g, (mark) => mark.replaceAll(/./g, "\\$&"));
}

/** A Markdown table, as a formatter would leave it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

function fileOf(test: string): string {
  return test.slice(0, test.indexOf(": "));
}

function nameOf(test: string): string {
  return test.slice(test.indexOf(": ") + 2);
}

describe("conformance", () => {
  it("every vector belongs to a demand: add its `ref` to conformance-demands.ts", () => {
    const sections = new Set(DEMANDS.flatMap((demand) => demand.sections));
    expect(CASES.filter(({ ref }) => !sections.has(ref))).toEqual([]);
  });

  it.each(DEMANDS.map((demand) => ({ sections: demand.sections.join(", "), demand })))(
    "$sections: shown by a vector or a test",
    ({ demand }) => {
      expect(casesOf(demand).length + (demand.tests ?? []).length).toBeGreaterThan(0);
      for (const test of demand.tests ?? []) {
        const source = readFileSync(new URL(fileOf(test), import.meta.url), "utf8");
        expect(source, `${fileOf(test)} has no test of this name`).toContain(`"${nameOf(test)}"`);
      }
    },
  );

  it("docs/conformance/http.md is up to date: UPDATE_DOCS=1 pnpm vitest run conformance writes it", () => {
    if (process.env["UPDATE_DOCS"] !== undefined) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(PAGE, page());
    }
    expect(readFileSync(PAGE, "utf8")).toBe(page());
  });
});

// docs/conformance/smtp.md: what is demanded, and what we answer. The page is made from what sessions do with the vectors
// in this run, so that it cannot promise what is not so. `UPDATE_DOCS=1 pnpm vitest run conformance` writes it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { AddressRole, Reply, SmtpEvent } from "../src/index.ts";
import { formatPath, parsePath, SmtpError } from "../src/index.ts";
import { transitions } from "../src/state.ts";
import { DIALOGUES } from "./conformance-demands.ts";
import type { Demand } from "./conformance-demands.ts";
import { PROMISES } from "./conformance-promises.ts";
import { stateDiagram } from "./conformance-states.ts";
import { acceptAll, PoliteSession } from "./support.ts";

const FOLDER = new URL("../../../docs/conformance/", import.meta.url);
const PAGE = new URL("smtp.md", FOLDER);
const CHAPTERS = [...DIALOGUES, ...PROMISES];
const DEMANDS = CHAPTERS.flatMap(({ demands }) => demands);

/** An entry of dialogues.json. */
interface Dialogue {
  readonly name: string;
  /** Sections, or "policy". */
  readonly rfc: string;
  readonly flights: readonly string[];
}

/** An entry of addresses.json. */
interface Address {
  readonly text: string;
  readonly role: AddressRole;
  readonly utf8?: boolean;
}

interface Case {
  /** As in the vector, but with a section sign, and the first one only. */
  readonly section: string;
  readonly name: string;
  readonly kind: string;
  readonly answer: string;
}

const CASES: readonly Case[] = [
  ...(vectors("dialogues") as readonly Dialogue[]).map(({ name, rfc, flights }) => ({
    section: firstSection(rfc),
    name,
    kind: "dialogue",
    answer: answerToDialogue(flights),
  })),
  ...(vectors("addresses") as readonly Address[]).map(({ text, role, utf8 }) => ({
    section: "RFC 5321 §4.1.2",
    name: text === "" ? "nothing" : shown(text),
    kind: role + (utf8 ? ", SMTPUTF8" : ""),
    answer: answerToAddress(text, role, utf8),
  })),
];

function vectors(file: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${file}.json`, import.meta.url), "utf8"));
}

/** "RFC 5321 3.5, 4.1.1.6 to 4.1.1.9" is found under RFC 5321 §3.5. */
function firstSection(rfc: string): string {
  return rfc.replace(/,.*/, "").replace(/^(RFC [0-9]+) /, "$1 §");
}

/** The cases that belong to a demand: those that it names, and those of its sections that no demand before it has taken. */
function casesOf(demand: Demand): Case[] {
  return CASES.filter(
    ({ section, name }) =>
      (DEMANDS.find(({ vectors }) => vectors?.includes(name)) ??
        DEMANDS.find(({ sections }) => sections.includes(section))) === demand,
  );
}

/** What a server that accepts whatever it may says to each command, after its 220. */
function answerToDialogue(flights: readonly string[]): string {
  const session = new PoliteSession(flights);
  const input = flights.join("");
  const said: { readonly text: string; times: number }[] = [];
  const pull = (): void => {
    for (let event = session.next(); event !== undefined; event = session.next()) {
      const reply = acceptAll(event);
      if (reply === undefined) continue;
      session.send(reply);
      if (event.type === "greeting") continue;
      const text = `${commandOf(event, input)}${verdict(event, reply, session.finished)}`;
      const last = said.at(-1);
      if (text === last?.text) last.times += 1;
      else said.push({ text, times: 1 });
    }
  };
  session.receive(Buffer.from(input, "latin1"));
  pull();
  session.end();
  pull();
  return said.map(({ text, times }) => (times === 1 ? text : `${text}, ${times} times`)).join("; ");
}

/** What a reply answers: the first word of a command, or what else there is; nothing where we speak unasked. */
function commandOf(event: SmtpEvent, input: string): string {
  if (event.type === "message-end") return "content ";
  if (event.type === "chunk-end") return "chunk ";
  if (event.type === "auth-response") return "response ";
  const text = input.slice(event.start, event.end).toUpperCase();
  const command = /^[A-Z]+/.exec(text)?.[0] ?? "";
  // In an exchange of AUTH a line is no command, whatever it looks like.
  if (event.type === "error" && event.confidential && command !== "AUTH") return "response ";
  if (event.type === "error" && event.error.code === "incomplete") return "end ";
  if (text === "\r\n") return "an empty line ";
  return command === "" ? "" : `${command} `;
}

/** A positive reply by its code, another one with its enhanced code, and the error that it answers. */
function verdict(event: SmtpEvent, { code, enhanced }: Reply, finished: boolean): string {
  const error = event.type === "error" ? event.error : "problem" in event ? event.problem : undefined;
  const status = code < 400 || enhanced === undefined ? `${code}` : `${code} ${enhanced}`;
  if (error === undefined) return status;
  return `${status}${finished ? " and close" : ""}: \`${error.code}\``;
}

function answerToAddress(text: string, role: AddressRole, utf8 = false): string {
  try {
    const path = parsePath(text, role, utf8);
    const written = path === undefined ? "<>" : formatPath(path);
    return written === text ? "taken" : `taken as ${plainText(shown(written))}`;
  } catch (error) {
    if (!(error instanceof SmtpError)) throw error;
    return `${error.reply?.code} ${error.reply?.enhanced}: \`${error.code}\``;
  }
}

/** Bytes in a line of a table: long runs counted, and what cannot be seen escaped. */
function shown(text: string): string {
  return text
    .replaceAll(/(.)\1{9,}/gu, (run, one: string) => `${one}{${run.length / one.length}}`)
    .replaceAll(/\p{Cc}/gu, (mark) => `\\x${mark.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function page(): string {
  const blocks = [
    "<!-- Made by `UPDATE_DOCS=1 pnpm vitest run conformance` in packages/smtp-lite. Do not edit. -->",
    "# SMTP: what is demanded, and what we answer",
    "Where an RFC leaves a choice, [`@tcpkit/smtp-lite`](../../packages/smtp-lite) refuses. Each row is a " +
      "[vector](../../packages/smtp-lite/vectors): the bytes of a dialogue are fed to a session whole, byte by byte and " +
      "cut at every point, and the answer is what the session said in the test run that made this page, behind its 220, " +
      "for a server that takes whatever it may: a code for each command, for `content` at the end of a message, for " +
      "each `chunk` before the last, for each `response` within AUTH, for the `end` of the connection. A refusal has its " +
      "enhanced code, and the `code` of the error that a program sees. An address is what stands behind `MAIL FROM:` " +
      "(sender) or `RCPT TO:` (recipient). What is not about what a session says names the " +
      "[tests](../../packages/smtp-lite/test) that show it.",
    "## Which command may follow which",
    "Drawn from the table in [`state.ts`](../../packages/smtp-lite/src/state.ts). An arrow is a command, or what else " +
      "happens, that was answered by yes. A no leaves the state as it was; but a message is over (`ready`) when its " +
      "content, a chunk or DATA itself is refused. What has no arrow is a bad sequence: 503, or 554 for content without " +
      "a recipient. A client that was greeted by 554 begins `unwelcome`. LHLO is for LMTP, EHLO and HELO are for SMTP.",
    ...stateDiagram(transitions),
  ];
  for (const { title, demands } of CHAPTERS) {
    blocks.push(`## ${title}`);
    for (const demand of demands) blocks.push(...section(demand));
  }
  return `${blocks.join("\n\n")}\n`;
}

function section(demand: Demand): string[] {
  const blocks = [`### ${demand.sections.join(", ")}`, demand.demand];
  const cases = casesOf(demand);
  if (cases.length > 0) {
    const rows = cases.map((row) => [plainText(row.name), row.kind, row.answer]);
    blocks.push(table([["what comes", "in a", "answer"], ...rows]));
  }
  const tests = demand.tests ?? [];
  if (tests.length > 0) {
    blocks.push(tests.map((test) => `- ${plainText(nameOf(test))} (\`${fileOf(test)}\`)`).join("\n"));
  }
  return blocks;
}

/** Without what Markdown would take for its own. */
function plainText(text: string): string {
  return text.replaceAll(/[\\*<|`]|__/g, (mark) => mark.replaceAll(/./g, "\\$&"));
}

/** A Markdown table, as a formatter would leave it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => width(row[column] ?? ""))));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text + " ".repeat((widths[column] ?? 0) - width(text))).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((columns) => "-".repeat(columns))), ...body.map(line)].join("\n");
}

/** Columns of a text: Chinese and Japanese characters take two. */
function width(text: string): number {
  return text.replaceAll(/[\u3000-\u9fff]/g, "xx").length;
}

function fileOf(test: string): string {
  return test.slice(0, test.indexOf(": "));
}

function nameOf(test: string): string {
  return test.slice(test.indexOf(": ") + 2);
}
describe("conformance", () => {
  it("every vector belongs to a demand: add its section to conformance-demands.ts", () => {
    expect(CASES.filter((one) => !DEMANDS.some((demand) => casesOf(demand).includes(one)))).toEqual([]);
    const names = new Set(CASES.map(({ name }) => name));
    expect(DEMANDS.flatMap(({ vectors = [] }) => vectors).filter((name) => !names.has(name))).toEqual([]);
  });

  it.each(CHAPTERS.flatMap(({ title, demands }) => demands.map((demand) => ({ title, demand }))))(
    "$title, $demand.sections: shown by a vector or a test",
    ({ demand }) => {
      const tests = demand.tests ?? [];
      expect(casesOf(demand).length + tests.length).toBeGreaterThan(0);
      for (const test of tests) {
        const source = readFileSync(new URL(fileOf(test), import.meta.url), "utf8");
        // As the demands write what a name takes from the code.
        const names = source.replaceAll(/\$\{[^}]*\}/g, "…").replaceAll("`", '"');
        expect(names, `${fileOf(test)} has no test of this name`).toContain(`"${nameOf(test)}"`);
      }
    },
  );

  it("docs/conformance/smtp.md is up to date: UPDATE_DOCS=1 pnpm vitest run conformance writes it", () => {
    if (process.env["UPDATE_DOCS"] !== undefined) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(PAGE, page());
    }
    expect(readFileSync(PAGE, "utf8")).toBe(page());
  });
});

// A notes API in memory: `node examples/http-app/src/notes.ts [PORT]`. It knows notes; HTTP is http-lite's.
// Its lesson is streams in both directions: a list goes out and an import comes in one line at a time, so neither is
// ever whole in memory, and a slow client holds back only its own handler.
import { ByteQueue, formatAddress, LineFramer, TcpError } from "@tcpkit/core";
import { serveHttp } from "@tcpkit/http-lite";
import type { HttpHandler, HttpRequest, HttpResponse } from "@tcpkit/http-lite";

interface Note {
  readonly id: number;
  readonly text: string;
}

interface Problem extends HttpResponse {
  readonly body: string;
}

/** What is kept in memory must have a bound. */
const MAX_NOTES = 10_000;
const MAX_TEXT = 10_000;

const HELP = `GET    /notes         all notes, one JSON object a line
POST   /notes         {"text": "..."} makes a note
POST   /notes/import  many of them, one a line
GET    /notes/1       one note
DELETE /notes/1       removes it
`;

/** The application: a function from request to reply, with notes of its own. */
export function notesApp(): HttpHandler {
  const notes = new Map<number, Note>();
  let last = 0;

  function add(json: string): Note | Problem {
    const text = textOf(json);
    if (text === undefined) return problem(400, `expected {"text": "1 to ${MAX_TEXT} characters"}`);
    if (notes.size >= MAX_NOTES) return problem(507, `there are ${MAX_NOTES} notes already`);
    const note = { id: ++last, text };
    notes.set(note.id, note);
    return note;
  }

  async function create(request: HttpRequest): Promise<HttpResponse> {
    const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type !== "application/json") return problem(415, "send application/json");
    // More than a mebibyte: http-lite throws, and answers 413 for us.
    const made = add(await request.text());
    return "id" in made ? json(201, made, { location: `/notes/${made.id}` }) : made;
  }

  /** NDJSON in. The lines before a bad one stay: a stream cannot be taken back. */
  async function importLines({ body }: HttpRequest): Promise<HttpResponse> {
    const queue = new ByteQueue();
    const lines = new LineFramer(queue, { maxLength: 65_536, ending: "lf" });
    let count = 0;
    try {
      for await (const piece of body) {
        queue.push(piece);
        for (let line = lines.take(); line !== undefined; line = lines.take()) {
          const made = add(line.bytes.toString());
          if (!("id" in made)) return { ...made, body: `line ${count + 1}: ${made.body}` };
          count += 1;
        }
      }
    } catch (error) {
      if (error instanceof TcpError && error.code === "line-too-long") return problem(413, error.message);
      throw error;
    }
    return queue.length === 0
      ? json(200, { imported: count })
      : problem(400, `line ${count + 1} has no line end; the ${count} before it are imported`);
  }

  function one(id: string, request: HttpRequest): HttpResponse {
    const note = /^[1-9][0-9]{0,8}$/.test(id) ? notes.get(Number(id)) : undefined;
    if (note === undefined) return problem(404, "no such note");
    if (request.method === "GET" || request.method === "HEAD") return json(200, note);
    if (request.method !== "DELETE") return notAllowed("GET, HEAD, DELETE");
    notes.delete(note.id);
    return { status: 204 };
  }

  return (request) => {
    const { method, path } = request;
    if (path === "/") return method === "GET" || method === "HEAD" ? HELP : notAllowed("GET, HEAD");
    if (path === "/notes/import") return method === "POST" ? importLines(request) : notAllowed("POST");
    if (path.startsWith("/notes/")) return one(path.slice("/notes/".length), request);
    if (path !== "/notes") return problem(404, "try GET /");
    if (method === "POST") return create(request);
    if (method !== "GET" && method !== "HEAD") return notAllowed("GET, HEAD, POST");
    return { headers: { "content-type": "application/x-ndjson" }, body: ndjson(notes.values()) };
  };
}

/** Pulled by http-lite as fast as the client reads, and left off when it goes. */
async function* ndjson(notes: Iterable<Note>): AsyncGenerator<string> {
  for (const note of notes) yield `${JSON.stringify(note)}\n`;
}

function textOf(json: string): string | undefined {
  try {
    const { text } = JSON.parse(json) as { text?: unknown };
    return typeof text === "string" && text !== "" && text.length <= MAX_TEXT ? text : undefined;
  } catch {
    return undefined;
  }
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): HttpResponse {
  return {
    status,
    headers: { ...headers, "content-type": "application/json" },
    body: `${JSON.stringify(value)}\n`,
  };
}

function problem(status: number, text: string): Problem {
  return { status, body: `${text}\n` };
}

function notAllowed(allow: string): HttpResponse {
  return { ...problem(405, `allowed: ${allow}`), headers: { allow } };
}

if (import.meta.main) {
  const server = await serveHttp(notesApp(), { port: Number(process.argv[2] ?? 8080) });
  console.log(`notes listen on http://${formatAddress(server.address)}/; Ctrl-C stops`);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void server.close());
}

// End to end with Python's clients: requests, and httpx.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { large, serveClients } from "./served.ts";
import { hasTool } from "./tools.ts";

const run = promisify(execFile);
/** Debian's own, for which it has the two libraries. */
const python = "/usr/bin/python3";

it.skipIf(!hasTool(python, "-c", "import httpx, requests"))(
  "requests and httpx: GET, POST, chunks both ways, and a large body, on one connection each",
  async () => {
    await using served = await serveClients();
    const { stdout } = await run(python, [fileURLToPath(new URL("clients.py", import.meta.url)), served.url]);
    const expected = {
      status: 200,
      text: "hello /a x y",
      form: "a=1&b=%C3%BC",
      formFraming: "length 12",
      upload: true,
      uploadFraming: "chunked",
      large: createHash("sha256").update(large).digest("hex"),
      stream: "one two three",
      head: "9",
    };
    const lines = stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([expected, expected]);
    expect(served.opened()).toBe(2);
  },
);

// How messages read in the event log: where each piece stands, and that no secret is shown.
import { describe, expect, it } from "vitest";
import { describeEvent, describeReply, HttpSession } from "../src/index.ts";

const BEFORE = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD =
  "POST /a?b HTTP/1.1\r\nHost: a\r\nauthorization:  Basic c2VjcmV0 \r\nCookie: id=secret\r\nX: \x85\r\nContent-Length: 2\r\n\r\n";

describe("a request in the log", () => {
  const session = new HttpSession();
  session.receive(Buffer.from(`${BEFORE + HEAD}hi`, "latin1"));
  session.next();
  session.send({ type: "response", status: 200 });
  const event = session.next();
  if (event === undefined) throw new Error("no event");
  const description = describeEvent(event);
  const wire = BEFORE + HEAD;

  it("names its pieces by absolute offsets", () => {
    const tokens = (description.tokens ?? []).map(({ name, start, end }) => [name, wire.slice(start, end)]);
    expect(tokens).toEqual([
      ["method", "POST"],
      ["target", "/a?b"],
      ["version", "HTTP/1.1"],
      ["field-name", "Host"],
      ["field-value", "a"],
      ["field-name", "authorization"],
      ["field-value", "Basic c2VjcmV0"],
      ["field-name", "Cookie"],
      ["field-value", "id=secret"],
      ["field-name", "X"],
      ["field-value", "\x85"],
      ["field-name", "Content-Length"],
      ["field-value", "2"],
    ]);
  });

  it("hides credentials and control characters, and says where the secrets stand", () => {
    expect(description.text).toBe(
      "POST /a?b HTTP/1.1 | Host: a | authorization: [redacted] | Cookie: [redacted] | X: ? | Content-Length: 2",
    );
    const secrets = (description.secrets ?? []).map(({ start, end }) => wire.slice(start, end));
    expect(secrets).toEqual(["Basic c2VjcmV0", "id=secret"]);
  });

  it("goes on with its body and its end", () => {
    expect(describeEvent(session.next()!).text).toBe("2 bytes of body");
    expect(describeEvent(session.next()!).text).toBe("end of body");
  });
});

it("a reply and an error in the log", () => {
  expect(describeReply({ type: "response", status: 404 }).text).toBe("HTTP/1.1 404 Not Found");
  const session = new HttpSession();
  session.receive(Buffer.from("GET /\n"));
  const error = session.next();
  expect(describeEvent(error!).text).toBe("400 bare-lf: LF without CR, at offset 5");
});

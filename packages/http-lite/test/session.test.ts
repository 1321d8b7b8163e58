import { outputText } from "@tcpkit/core/testing";
import { expect, it } from "vitest";
import { HttpSession } from "../src/index.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

// RFC 9112 §9.6: whoever closes after a reply says so in it.
it("says close in the last reply to a client that has ended its side, and in no earlier one", () => {
  const session = new HttpSession();
  session.receive(Buffer.from(REQUEST + REQUEST));
  session.end();
  const replies = [1, 2].map(() => {
    expect(session.next()?.type).toBe("request");
    return outputText(session.send({ type: "response", status: 200, body: "" }));
  });
  expect(replies.map((reply) => reply.includes("Connection: close"))).toEqual([false, true]);
  expect(session.next()).toBeUndefined();
  expect(session.finished).toBe(true);
});

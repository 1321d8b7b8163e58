import { outputText } from "@tcpkit/core/testing";
import { describe, expect, it } from "vitest";
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

describe("a drain notice", () => {
  const session = (asked: string): HttpSession => {
    const fresh = new HttpSession();
    fresh.receive(Buffer.from(asked));
    return fresh;
  };
  const answer = (to: HttpSession): string => {
    expect(to.next()?.type).toBe("request");
    return outputText(to.send({ type: "response", status: 200, body: "" }));
  };

  it("ends at once a connection on which nothing was asked", () => {
    const fresh = session("");
    fresh.notify("drain");
    expect(fresh.finished).toBe(true);
  });

  it("leaves a kept connection one more request, which is told so (RFC 9112 §9.6)", () => {
    const kept = session(REQUEST);
    expect(answer(kept)).not.toContain("close");
    kept.notify("drain");
    expect([kept.finished, kept.resting]).toEqual([false, true]);
    kept.receive(Buffer.from(REQUEST + REQUEST));
    expect(answer(kept)).toContain("Connection: close");
    expect(kept.finished).toBe(true);
  });

  it("in the middle of an exchange makes it the last, where its head has not left yet", () => {
    const waiting = session(REQUEST);
    waiting.next();
    waiting.notify("drain");
    expect(outputText(waiting.send({ type: "response", status: 200, body: "" }))).toContain(
      "Connection: close",
    );
    expect(waiting.finished).toBe(true);
    const begun = session(REQUEST);
    begun.next();
    begun.send({ type: "response", status: 200, open: true });
    begun.notify("drain");
    begun.send({ type: "end" });
    expect([begun.finished, begun.resting]).toEqual([false, true]);
    begun.notify("timeout");
    expect(begun.next()).toBeUndefined();
    expect(begun.finished).toBe(true);
  });
});

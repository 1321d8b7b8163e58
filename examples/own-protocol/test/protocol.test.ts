// The protocol by itself: bytes in, events out, and bytes for each reply. No socket, no clock.
import { encodeLengthPrefixed } from "@tcpkit/core";
import { verifyDecoder } from "@tcpkit/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RpcError } from "../src/errors.ts";
import { rpc } from "../src/protocol.ts";
import type { Message, RpcEvent } from "../src/protocol.ts";

const frame = (content: string | Uint8Array): Buffer => encodeLengthPrefixed(Buffer.from(content));

describe("the session", () => {
  it("takes a call out of a frame, with its place in the stream, however TCP cuts it", () => {
    const events = verifyDecoder({
      session: () => rpc.session(),
      input: frame(`{"jsonrpc":"2.0","id":1,"method":"add","params":[2,3]}`),
      trailing: frame(`{"jsonrpc":"2.0","method":"echo"}`),
    });
    expect(events).toEqual([{ type: "call", id: 1, method: "add", params: [2, 3], start: 0, end: 58 }]);
  });

  it.each([
    ["an answer", `{"jsonrpc":"2.0","id":7,"result":null}`, { type: "result", id: 7, result: null }],
    ["a call without an id", `{"jsonrpc":"2.0","method":"x"}`, { type: "call", id: undefined, method: "x" }],
    ["a text that is cut in mid-character", `{"jsonrpc":"2.0","id":"é","result":"你好"}`, { result: "你好" }],
    [
      "an error that came over the wire",
      `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}`,
      { type: "failure", id: 1, error: new RpcError("unknown-method", "no") },
    ],
    ["no JSON", `{"jsonrpc":`, { type: "error", error: { code: "bad-json" } }],
    ["an empty frame", "", { type: "error", error: { code: "bad-json" } }],
    ["no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), { type: "error", error: { code: "bad-json" } }],
    ["no object", "17", { type: "error", error: { code: "bad-message" } }],
    ["a batch", `[{"jsonrpc":"2.0","method":"x"}]`, { type: "error", error: { code: "bad-message" } }],
    ["another version", `{"id":1,"method":"add"}`, { type: "error", error: { code: "bad-message" } }],
    ["an id that is none", `{"jsonrpc":"2.0","id":{},"method":"x"}`, { error: { code: "bad-message" } }],
    ["an answer to nothing", `{"jsonrpc":"2.0","result":1}`, { error: { code: "bad-message" } }],
  ])("reads %s, and then goes on with the next frame", (_name, content, expected) => {
    const next = frame(`{"jsonrpc":"2.0","id":2,"method":"echo","params":"next"}`);
    const input = Buffer.concat([frame(content), next]);
    const events = verifyDecoder({ session: () => rpc.session(), input }) as RpcEvent[];
    expect(events).toMatchObject([expected, { type: "call", id: 2, params: "next" }]);
    expect(events[1]).toMatchObject({ start: input.length - next.length, end: input.length });
  });

  it("refuses a frame by its length, before its bytes come, and reads nothing after it", () => {
    const input = Buffer.concat([Buffer.of(0, 1, 0, 1), frame(`{"jsonrpc":"2.0","method":"echo"}`)]);
    const events = verifyDecoder<RpcEvent, Message>({ session: () => rpc.session(), input });
    expect(events).toMatchObject([{ type: "error", error: { code: "frame-too-long" }, start: 0, end: 4 }]);
  });

  it("is finished after the answer to such a frame, and not before", () => {
    const session = rpc.session();
    session.receive(Buffer.of(255, 255, 255, 255));
    expect(session.next()?.type).toBe("error");
    expect([session.failure, session.finished]).toMatchObject([{ code: "frame-too-long" }, false]);
    session.send({ type: "failure", id: null, error: new RpcError("frame-too-long", "too long") });
    expect(session.finished).toBe(true);
  });

  it("drops half a frame when the peer ends in the middle of it", () => {
    const input = frame(`{"jsonrpc":"2.0","method":"echo"}`).subarray(0, -1);
    expect(verifyDecoder({ session: () => rpc.session(), input })).toEqual([]);
  });

  it("reads back whatever it sends", () => {
    const id = fc.oneof(fc.integer(), fc.string(), fc.constant(null));
    const value = fc.jsonValue().map((json) => JSON.parse(JSON.stringify(json)) as unknown);
    const message: fc.Arbitrary<Message> = fc.oneof(
      fc.record({ type: fc.constant("call" as const), id, method: fc.string(), params: value }),
      fc.record({ type: fc.constant("result" as const), id, result: value }),
      fc.record({
        type: fc.constant("failure" as const),
        id,
        error: fc.string().map((text) => new RpcError("bad-params", text)),
      }),
    );
    fc.assert(
      fc.property(message, (sent) => {
        const session = rpc.session();
        const bytes = session.send(sent) as Uint8Array;
        session.receive(bytes);
        expect(session.next()).toEqual({ ...sent, start: 0, end: bytes.length });
      }),
    );
  });
});

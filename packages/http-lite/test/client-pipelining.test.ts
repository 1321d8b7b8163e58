// Requests of a client behind each other on one connection, to the byte: which may go there, whose reply is whose, and what
// becomes of the others when one of them, or the connection, fails.
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { HttpClient, request, serveHttp } from "../src/index.ts";
import type { HttpClientOptions, HttpClientRequest, HttpClientResponse } from "../src/index.ts";
import { memoryClient, okWith } from "./client-support.ts";
import type { End } from "./client-support.ts";
import { promised } from "./wire.ts";

/** A client with one connection, which has carried a request. */
async function proven(options: HttpClientOptions = {}) {
  const memory = memoryClient({ maxConnections: 1, pipelining: 4, ...options });
  const first = memory.client.request({ path: "/first" });
  const server = await memory.next();
  await server.head();
  server.send(okWith("first"));
  await (await first).text();
  const get = (path: string, more: HttpClientRequest = {}): Promise<HttpClientResponse> => {
    const reply = memory.client.request({ path, ...more });
    reply.catch(() => undefined);
    return reply;
  };
  return { ...memory, server, get };
}

const text = async (reply: Promise<HttpClientResponse>): Promise<string> => (await reply).text();

/** The targets of the requests that have come, in their order, once there are as many. */
async function targets(server: End, count: number): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) all.push(/^\w+ (\S+) /.exec(await server.head())?.[1] ?? "");
  await setImmediate();
  expect(server.text).toBe("");
  return all;
}

describe("pipelining", () => {
  it("sends requests behind each other, and gives each its reply", async () => {
    const { client, server, get, made } = await proven();
    const replies = [get("/1"), get("/2", { method: "HEAD" }), get("/3"), get("/4")];
    expect(await targets(server, 4)).toEqual(["/1", "/2", "/3", "/4"]);
    server.send(okWith("one"));
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
    server.send(`HTTP/1.1 103 Early Hints\r\n\r\n${okWith("three")}`);
    server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n");
    expect(await Promise.all(replies.map(text))).toEqual(["one", "", "three", "four"]);
    expect(made).toHaveLength(1);
    await client.close();
  });

  it("is off unless it is asked for", async () => {
    const { server, get } = await proven({ pipelining: undefined });
    void get("/1");
    void get("/2");
    expect(await targets(server, 1)).toEqual(["/1"]);
  });

  it.each([0, -1, Number.NaN])("of %d is none", (pipelining) => {
    expect(() => new HttpClient({ pipelining })).toThrow(expect.objectContaining({ code: "bad-option" }));
  });

  it("does not begin before the connection has answered once (RFC 9112 §9.3.2)", async () => {
    const { client, next } = memoryClient({ maxConnections: 1, pipelining: 4 });
    const replies = ["/1", "/2", "/3"].map((path) => client.request({ path }));
    const server = await next();
    expect(await targets(server, 1)).toEqual(["/1"]);
    server.send(okWith("1"));
    expect(await targets(server, 2)).toEqual(["/2", "/3"]);
    server.send(okWith("2") + okWith("3"));
    expect(await Promise.all(replies.map(text))).toEqual(["1", "2", "3"]);
    await client.close();
  });

  it("does not begin with a server of HTTP/1.0", async () => {
    const { client, next } = memoryClient({ maxConnections: 1, pipelining: 4 });
    const first = client.request();
    const server = await next();
    await server.head();
    server.send("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
    await first;
    void client.request({ path: "/1" });
    void client.request({ path: "/2" });
    expect(await targets(server, 1)).toEqual(["/1"]);
  });

  it("makes the connections that it may make first, and then fills up the one with the fewest requests", async () => {
    const { client, server, get, next } = await proven({ maxConnections: 2 });
    void get("/1");
    const other = get("/2");
    const two = await next();
    expect(await targets(two, 1)).toEqual(["/2"]);
    two.send(okWith("2"));
    await text(other);
    for (const path of ["/3", "/4", "/5"]) void get(path);
    expect(await targets(two, 2)).toEqual(["/3", "/5"]);
    expect(await targets(server, 2)).toEqual(["/1", "/4"]);
    for (const end of [server, two]) end.send(okWith("") + okWith(""));
    await client.close();
  });

  it("sends at most as many, and one more for each reply", async () => {
    const { client, server, get } = await proven({ pipelining: 2 });
    const replies = ["/1", "/2", "/3", "/4"].map((path) => get(path));
    expect(await targets(server, 2)).toEqual(["/1", "/2"]);
    server.send(okWith("1"));
    expect(await targets(server, 1)).toEqual(["/3"]);
    server.send(okWith("2") + okWith("3"));
    expect(await targets(server, 1)).toEqual(["/4"]);
    server.send(okWith("4"));
    expect(await Promise.all(replies.map(text))).toEqual(["1", "2", "3", "4"]);
    await client.close();
  });

  it.each<[string, HttpClientRequest]>([
    ["POST", { method: "POST" }],
    ["a body", { method: "PUT", body: "x" }],
    ["Connection: close", { headers: { Connection: "close" } }],
  ])(
    "neither puts %s behind others, nor others behind it, and nothing overtakes it",
    async (_name, alone) => {
      const { client, server, get, next } = await proven();
      const replies = [get("/1"), get("/2", alone), get("/3"), get("/4")];
      expect(await targets(server, 1)).toEqual(["/1"]);
      server.send(okWith("1"));
      expect(await server.until(" HTTP/1.1\r\n")).toContain(" /2 ");
      await server.until(alone.body === undefined ? "\r\n\r\n" : "\r\n\r\nx");
      await setImmediate();
      expect(server.text).toBe("");
      server.send(okWith("2"));
      const rest = alone.headers === undefined ? server : await next();
      if (rest === server) {
        expect(await targets(rest, 2)).toEqual(["/3", "/4"]);
        rest.send(okWith("3") + okWith("4"));
      } else {
        expect(await targets(rest, 1)).toEqual(["/3"]);
        rest.send(okWith("3"));
        expect(await targets(rest, 1)).toEqual(["/4"]);
        rest.send(okWith("4"));
      }
      expect(await Promise.all(replies.map(text))).toEqual(["1", "2", "3", "4"]);
      await client.close();
    },
  );

  it("works with our server and a slow handler, in the order of the requests", async () => {
    const slow = promised<string>();
    const asked: string[] = [];
    await using http = await serveHttp(({ path }) => {
      asked.push(path);
      return path === "/slow" ? slow.promise : path;
    });
    await using client = new HttpClient({ port: http.port, maxConnections: 1, pipelining: 8 });
    expect(await text(client.request({ path: "/first" }))).toBe("/first");
    const done: string[] = [];
    const replies = ["/1", "/slow", "/2", "/3"].map(async (path) => {
      done.push(await text(client.request({ path })));
    });
    await replies[0];
    expect(done).toEqual(["/1"]);
    slow.resolve("slow");
    await Promise.all(replies);
    expect(done).toEqual(["/1", "slow", "/2", "/3"]);
    expect(http.connections.size).toBe(1);
  });
});

describe("a connection that ends with requests behind the one in hand", () => {
  /** Answers what comes, one at a time, on new connections: never pipelined again. */
  async function answerAlone(next: () => Promise<End>, count: number): Promise<string[]> {
    const all: string[] = [];
    const server = await next();
    for (let left = count; left > 0; left--) {
      const [target = ""] = await targets(server, 1);
      all.push(target);
      server.send(okWith(target));
    }
    return all;
  }

  it.each([
    ["ends", "", (server: End) => server.connection.end()],
    ["resets it", "", (server: End) => server.connection.reset()],
    [
      "says close",
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
      (server: End) => server.send(okWith("/2")),
    ],
    [
      "answers by 1.0",
      "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
      (server: End) => server.send(okWith("/2")),
    ],
    ["sends a body until close", "HTTP/1.1 200 OK\r\n\r\nx", (server: End) => server.connection.end()],
  ] as const)("since the server %s: they are asked again, one at a time", async (_name, answer, then) => {
    const { client, server, get, next } = await proven();
    const replies = ["/1", "/2", "/3"].map((path) => get(path));
    await targets(server, 3);
    server.send(answer);
    await setImmediate();
    then(server);
    const first = answer === "" ? ["/1"] : [];
    expect(await answerAlone(next, 2 + first.length)).toEqual([...first, "/2", "/3"]);
    expect(await Promise.all(replies.map(text))).toEqual([...(answer === "" ? first : ["x"]), "/2", "/3"]);
    await client.close();
  });

  it("in the middle of a reply: that one fails, and the others are asked again", async () => {
    const { client, server, get, next } = await proven();
    const [first, ...others] = ["/1", "/2", "/3"].map((path) => text(get(path)));
    await targets(server, 3);
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal").connection.end();
    await expect(first).rejects.toMatchObject({ code: "incomplete" });
    expect(await answerAlone(next, 2)).toEqual(["/2", "/3"]);
    expect(await Promise.all(others)).toEqual(["/2", "/3"]);
    await client.close();
  });

  it("with the first byte of the next reply behind a complete one: the next is not asked again, what follows is", async () => {
    const { client, server, get, next } = await proven();
    const [one, two, three] = ["/1", "/2", "/3"].map((path) => get(path));
    await targets(server, 3);
    server.send(`${okWith("1")}H`).connection.end();
    expect(await text(one!)).toBe("1");
    await expect(two).rejects.toMatchObject({ code: "incomplete" });
    expect(await answerAlone(next, 1)).toEqual(["/3"]);
    expect(await text(three!)).toBe("/3");
    await client.close();
  });

  it.each([
    ["lost framing", "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\nx", "bad-content-length"],
    ["a switch", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "unexpected-bytes"],
  ])("by %s: who got that fails, and the others are asked again", async (_name, answer, code) => {
    const { client, server, get, next } = await proven();
    const [first, ...others] = ["/1", "/2", "/3"].map((path) => get(path));
    await targets(server, 3);
    server.send(answer + okWith("/2"));
    await expect(first).rejects.toMatchObject({ code });
    expect(await answerAlone(next, 2)).toEqual(["/2", "/3"]);
    expect(await Promise.all(others.map(text))).toEqual(["/2", "/3"]);
    await client.close();
  });

  it("twice: no request is asked a third time", async () => {
    const { server, get, next, made } = await proven();
    const replies = ["/1", "/2"].map((path) => get(path));
    await targets(server, 2);
    server.connection.end();
    for (const [index, reply] of replies.entries()) {
      const again = await next();
      expect(await targets(again, 1)).toEqual([`/${index + 1}`]);
      again.connection.end();
      await expect(reply).rejects.toMatchObject({ code: "incomplete" });
    }
    expect(made).toHaveLength(3);
  });

  it("among several: they go to new and to idle ones, and otherwise before those who wait", async () => {
    const { client, server, get, next, made } = await proven({ maxConnections: 2, pipelining: 3 });
    void get("/a");
    const kept = get("/b");
    const two = await next();
    await two.head();
    const replies = ["/1", "/2"].map((path) => get(path));
    // Not proven yet: nothing goes behind /b.
    expect(await targets(server, 3)).toEqual(["/a", "/1", "/2"]);
    const waits = [get("/post", { method: "POST" })];
    server.connection.reset();
    const three = await next();
    expect(await targets(three, 1)).toEqual(["/a"]);
    two.send(okWith("b"));
    expect(await text(kept)).toBe("b");
    expect(await targets(two, 1)).toEqual(["/1"]);
    three.send(okWith("a"));
    expect(await targets(three, 1)).toEqual(["/2"]);
    two.send(okWith("1"));
    expect(await targets(two, 1)).toEqual(["/post"]);
    two.send(okWith("post"));
    three.send(okWith("2"));
    expect(await Promise.all([...replies, ...waits].map(text))).toEqual(["1", "2", "post"]);
    expect(made).toHaveLength(3);
    await client.close();
  });
});

describe("bytes behind the replies of a pipeline", () => {
  it("answer nobody: neither who waits, nor who asks next (response splitting)", async () => {
    const { client, server, get, next } = await proven();
    const replies = ["/1", "/2"].map((path) => get(path));
    await targets(server, 2);
    server.send(okWith("1") + okWith("2") + okWith("forged"));
    expect(await Promise.all(replies.map(text))).toEqual(["1", "2"]);
    await server.ended();
    const third = get("/3");
    const two = await next();
    await two.head();
    two.send(okWith("3"));
    expect(await text(third)).toBe("3");
    await client.close();
  });

  it("that came before a request was sent do not answer it, though others were awaited then", async () => {
    const { client, server, get, next } = await proven({ pipelining: 2 });
    const replies = ["/1", "/2", "/3"].map((path) => get(path));
    expect(await targets(server, 2)).toEqual(["/1", "/2"]);
    // The third request leaves between the first reply and the second, and all of this was there before.
    server.send(okWith("1") + okWith("2") + okWith("forged"));
    expect(await Promise.all(replies.slice(0, 2).map(text))).toEqual(["1", "2"]);
    await expect(replies[2]).rejects.toMatchObject({ code: "unexpected-bytes" });
    await server.ended();
    void next;
    await client.close();
  });
});

describe("a request behind others that is given up", () => {
  it("lets those ahead of it finish, closes, and has those behind it asked again", async () => {
    const { client, server, get, next } = await proven();
    const controller = new AbortController();
    const one = get("/1");
    const two = get("/2", { signal: controller.signal });
    const three = get("/3");
    await targets(server, 3);
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    await one;
    controller.abort();
    await expect(two).rejects.toMatchObject({ code: "aborted" });
    const other = await next();
    expect(await targets(other, 1)).toEqual(["/3"]);
    other.send(okWith("three"));
    expect(await text(three)).toBe("three");
    server.send("lf");
    expect(await text(one)).toBe("half");
    await server.ended();
    await client.close();
  });

  it("in hand closes, and has the others asked again", async () => {
    const { client, server, get, next } = await proven();
    const controller = new AbortController();
    const one = get("/1", { signal: controller.signal });
    const others = ["/2", "/3"].map((path) => get(path));
    await targets(server, 3);
    controller.abort();
    await expect(one).rejects.toMatchObject({ code: "aborted" });
    await server.ended();
    const other = await next();
    expect(await targets(other, 1)).toEqual(["/2"]);
    other.send(okWith("2"));
    expect(await targets(other, 1)).toEqual(["/3"]);
    other.send(okWith("3"));
    expect(await Promise.all(others.map(text))).toEqual(["2", "3"]);
    await client.close();
  });

  it("since its reply's body is left, has the others asked again", async () => {
    const { client, server, get, next } = await proven();
    const replies = ["/1", "/2"].map((path) => get(path));
    await targets(server, 2);
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    (await replies[0])?.discard();
    const other = await next();
    expect(await targets(other, 1)).toEqual(["/2"]);
    other.send(okWith("2"));
    expect(await text(replies[1]!)).toBe("2");
    await client.close();
  });
});

describe("time", () => {
  it("for a reply begins when the one ahead of it has ended", async () => {
    const { client, server, get, clock, next } = await proven({ deadlines: { head: 1000 } });
    const [one, two, three] = ["/1", "/2", "/3"].map((path) => get(path));
    await targets(server, 3);
    clock.advance(800);
    server.send(okWith("1"));
    expect(await text(one!)).toBe("1");
    // Over 1000 since it was sent, not since the first was answered.
    clock.advance(800);
    server.send(okWith("2"));
    expect(await text(two!)).toBe("2");
    clock.advance(1300);
    await expect(three).rejects.toMatchObject({ code: "timeout", deadline: "head" });
    await server.ended();
    void next;
    await client.close();
  });

  it("for its turn includes the replies ahead of it", async () => {
    const { client, server, get, clock } = await proven({ deadlines: { queue: 2000, body: Infinity } });
    const [one, two] = ["/1", "/2"].map((path) => get(path));
    await targets(server, 2);
    server.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha");
    await one;
    clock.advance(2300);
    await expect(two).rejects.toMatchObject({ code: "timeout", deadline: "queue" });
    server.send("lf");
    expect(await text(one!)).toBe("half");
    await server.ended();
    await client.close();
    expect(clock.timers).toBe(0);
  });

  it("is over for one: the others are asked again", async () => {
    const { client, server, get, clock, next } = await proven({ deadlines: { head: 1000 } });
    const [one, two] = ["/1", "/2"].map((path) => get(path));
    await targets(server, 2);
    clock.advance(1300);
    await expect(one).rejects.toMatchObject({ code: "timeout", deadline: "head" });
    const other = await next();
    expect(await targets(other, 1)).toEqual(["/2"]);
    other.send(okWith("2"));
    expect(await text(two!)).toBe("2");
    await client.close();
  });
});

describe("closing the client", () => {
  it("lets a pipeline be answered", async () => {
    const { client, server, get, clock } = await proven();
    const replies = ["/1", "/2"].map((path) => get(path));
    await targets(server, 2);
    const closed = client.close();
    server.send(okWith("1") + okWith("2"));
    expect(await Promise.all(replies.map(text))).toEqual(["1", "2"]);
    await server.ended();
    server.connection.end();
    await closed;
    expect(clock.timers).toBe(0);
  });

  it("ends one at its deadline, and repeats nothing", async () => {
    const { client, server, get, clock, made } = await proven();
    const replies = ["/1", "/2", "/3"].map((path) => get(path));
    await targets(server, 3);
    const closed = client.close({ deadline: 500 });
    clock.advance(700);
    for (const reply of replies) await expect(reply).rejects.toMatchObject({ code: "aborted" });
    await closed;
    expect(made).toHaveLength(1);
    expect(clock.timers).toBe(0);
  });
});

it("request() has nothing to pipeline", () => {
  // @ts-expect-error -- one request is all there is
  void ((): unknown => request({ port: 1, pipelining: 2 }));
});

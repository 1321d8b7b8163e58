import { request } from "node:http";
import { EventLog } from "@tcpkit/core";
import { serveEcho } from "@tcpkit/echo";
import { describe, expect, it } from "vitest";
import { serveInspector } from "../src/index.ts";
import { openStream } from "./support/event-source.ts";
import { chunk, opening, testLog } from "./support/log.ts";

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request with whatever field lines are wanted: `fetch` would not send a foreign Host. */
function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (body += piece));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    })
      .on("error", reject)
      .end();
  });
}

describe("the stream", () => {
  it("begins with what was kept and goes on with what comes", async () => {
    const log = testLog();
    await using inspector = await serveInspector(log, { frame: 0 });
    log.observe(opening(1));
    await using stream = await openStream(inspector.port);
    expect(await stream.next()).toMatchObject({ name: "hello", data: { token: expect.any(String) } });
    expect(await stream.next()).toMatchObject({
      id: "1",
      name: "records",
      data: { dropped: 0, records: [{ seq: 1, kind: "connection", service: "test" }] },
    });
    log.observe(chunk(1, "in", 0, "h\u00e9\r\n"));
    expect(await stream.next()).toMatchObject({
      id: "2",
      data: { records: [{ kind: "data", span: { start: 0, end: 4 }, bytes: "aOkNCg==" }] },
    });
  });

  it("goes on after Last-Event-ID, and tells what has gone since", async () => {
    const log = testLog();
    await using inspector = await serveInspector(log, { frame: 0, limits: { records: 3 } });
    for (let index = 0; index < 9; index += 1) log.observe({ kind: "drain", conn: 1 });
    await using whole = await openStream(inspector.port, 7);
    await whole.next();
    expect(await whole.next()).toMatchObject({
      id: "9",
      data: { dropped: 0, records: [{ seq: 8 }, { seq: 9 }] },
    });
    await using gap = await openStream(inspector.port, 2);
    await gap.next();
    expect(await gap.next()).toMatchObject({ id: "6", data: { dropped: 4, records: [] } });
    expect(await gap.next()).toMatchObject({
      id: "9",
      data: { records: [{ seq: 7 }, { seq: 8 }, { seq: 9 }] },
    });
  });

  it("says now and then that it is there", async () => {
    const log = testLog();
    await using inspector = await serveInspector(log, { heartbeat: 5 });
    await using stream = await openStream(inspector.port);
    await stream.next();
    const next = stream.next();
    while (stream.comments < 3) await new Promise((resolve) => setImmediate(resolve));
    log.observe(opening(1));
    expect(await next).toMatchObject({ name: "records" });
  });

  it("does not show the inspector itself", async () => {
    const log = new EventLog();
    await using inspector = await serveInspector(log, { frame: 0 });
    const seen: string[] = [];
    log.read((record) => seen.push(record.kind));
    await ask(inspector.port, "GET", "/");
    await using stream = await openStream(inspector.port);
    await stream.next();
    expect(seen).toEqual([]);
  });

  it("is given to so many pages and no more", async () => {
    await using inspector = await serveInspector(testLog(), { limits: { pages: 1 }, heartbeat: 5 });
    {
      await using first = await openStream(inspector.port);
      await first.next();
      expect(await ask(inspector.port, "GET", "/events")).toMatchObject({ status: 503 });
    }
    // The place of a page that has gone is free once the server has heard of it.
    let status: number | undefined;
    do {
      ({ status } = await ask(inspector.port, "HEAD", "/events"));
    } while (status === 503);
    expect(status).toBe(200);
  });

  it("ends when the inspector closes, which need not wait for it", async () => {
    const log = testLog();
    const inspector = await serveInspector(log);
    const stream = await openStream(inspector.port);
    await stream.next();
    expect(await inspector.close({ deadline: 60_000 })).toEqual({ drained: 1, cut: 0 });
    await expect(stream.next()).rejects.toThrow("ended");
  });
});

describe("what is answered", () => {
  it("lets the page do nothing else than show itself", async () => {
    await using inspector = await serveInspector(testLog());
    for (const path of ["/", "/inspector.js", "/services.json", "/nothing"]) {
      const { headers } = await ask(inspector.port, "GET", path);
      expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';/);
      expect(headers["content-security-policy"]).not.toMatch(/unsafe/);
      expect(headers).toMatchObject({
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
      });
    }
  });

  it("serves every file that the page asks for, with its type", async () => {
    await using inspector = await serveInspector(testLog());
    const asked = new Set(["/"]);
    for (const path of asked) {
      const { status, headers, body } = await ask(inspector.port, "GET", path);
      expect([path, status]).toEqual([path, 200]);
      expect(headers["content-type"]).toMatch(
        /^(text\/(html|css|javascript); charset=utf-8|image\/svg\+xml)$/,
      );
      const references = body.matchAll(/(?:href|src)="(\/[^"]+)"|from "\.(\/[^"]+)"/g);
      for (const [, link, module] of references) asked.add(link ?? module ?? "");
    }
    expect(asked.size).toBeGreaterThan(14);
  });

  it("gives no other file", async () => {
    await using inspector = await serveInspector(testLog());
    for (const path of ["/../package.json", "/%2e%2e/package.json", "/tsconfig.json", "//etc/passwd"]) {
      expect([path, (await ask(inspector.port, "GET", path)).status]).toEqual([path, 404]);
    }
  });

  it("tells what can be tried, as it is at that moment", async () => {
    const services = [{ name: "echo", host: "127.0.0.1", port: 7, hint: "nc 127.0.0.1 7" }];
    await using inspector = await serveInspector(testLog(), { services: () => services });
    const { body } = await ask(inspector.port, "GET", "/services.json");
    expect(JSON.parse(body)).toEqual(services);
    services.pop();
    expect((await ask(inspector.port, "GET", "/services.json")).body).toBe("[]");
  });

  it("refuses a foreign name and a foreign origin, on every path", async () => {
    await using inspector = await serveInspector(testLog());
    const { port } = inspector;
    for (const path of ["/", "/events", "/services.json", "/nothing"]) {
      expect(await ask(port, "GET", path, { host: "evil.example" })).toMatchObject({ status: 421 });
      expect(await ask(port, "GET", path, { origin: "http://evil.example" })).toMatchObject({ status: 403 });
    }
  });

  it("clears for its own page only", async () => {
    const log = testLog();
    await using inspector = await serveInspector(log, { frame: 0 });
    const { port } = inspector;
    log.observe({ kind: "drain", conn: 1 });
    await using stream = await openStream(port);
    const { token } = (await stream.next()).data as { token: string };
    await stream.next();
    expect(await ask(port, "POST", "/clear")).toMatchObject({ status: 403 });
    expect(await ask(port, "POST", "/clear", { "x-tcpkit-token": "guess" })).toMatchObject({ status: 403 });
    expect(await ask(port, "GET", "/clear")).toMatchObject({ status: 405, headers: { allow: "POST" } });
    expect(await ask(port, "POST", "/", { "x-tcpkit-token": token })).toMatchObject({ status: 405 });
    expect(await ask(port, "DELETE", "/", { "x-tcpkit-token": token })).toMatchObject({ status: 405 });
    expect(await ask(port, "POST", "/clear", { "x-tcpkit-token": token })).toMatchObject({ status: 204 });
    expect(await stream.next()).toMatchObject({ name: "cleared" });
  });

  it("listens on loopback", async () => {
    await using inspector = await serveInspector(testLog());
    expect(inspector.host).toBe("127.0.0.1");
  });

  it("reads the log of real servers, and reads it no more once closed", async () => {
    const log = new EventLog();
    const inspector = await serveInspector(log, { frame: 0 });
    const stream = await openStream(inspector.port);
    await stream.next();
    await using echo = await serveEcho({ tap: log });
    expect(await stream.next()).toMatchObject({
      data: { records: [{ kind: "listening", service: "echo", local: { port: echo.port } }] },
    });
    await inspector.close();
    await expect(stream.next()).rejects.toThrow("ended");
  });
});

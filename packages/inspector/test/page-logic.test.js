// The parts of the page that need no document.
import { describe, expect, it } from "vitest";
import { fromBase64, segments, textPieces } from "../assets/bytes.js";
import { sentence } from "../assets/event-view.js";
import { formatAddress, formatDuration, formatSize } from "../assets/format.js";
import { Recording } from "../assets/recording.js";
import { Rows } from "../assets/rows.js";
import { catalogs, chooseLanguage, speaker } from "../assets/strings.js";

const bytes = (text, encoding = "utf8") => new Uint8Array(Buffer.from(text, encoding));
const shown = (data) =>
  textPieces(data)
    .map(({ text, kind }) => (kind === "plain" ? text : `<${text}>`))
    .join("");

describe("bytes as text", () => {
  it.each([
    ["plain", "plain"],
    ["a\r\nb\r\n", "a<CR><LF>\nb<CR><LF>"],
    ["\0\t\u001b[31m\u007f", "<NUL><TAB><ESC>[31m<DEL>"],
    ["日本 ☃ 😀", "日本 ☃ 😀"],
    ["abc\u202edef", "abc<\\u{202e}>def"],
    ["a\u200bb\u00a0c\ufeff", "a<\\u{200b}>b<\\u{a0}>c<\\u{feff}>"],
    ["<b>&amp;</b>", "<b>&amp;</b>"],
  ])("shows %j", (text, expected) => {
    expect(shown(bytes(text))).toBe(expected);
  });

  it("shows what is no UTF-8 byte by byte, also where a chunk has cut a character", () => {
    expect(shown(Uint8Array.of(0x61, 0xff, 0xc3, 0x28, 0xe2, 0x82))).toBe("a<\\xff><\\xc3>(<\\xe2><\\x82>");
    expect(shown(Uint8Array.of(0xc0, 0xaf, 0xed, 0xa0, 0x80))).toBe("<\\xc0><\\xaf><\\xed><\\xa0><\\x80>");
  });

  it("takes base64 back to bytes", () => {
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(fromBase64(Buffer.from(all).toString("base64"))).toEqual(all);
  });
});

describe("marks", () => {
  it("cut the bytes at absolute offsets, also where they overlap or reach outside", () => {
    const marks = [
      { start: 0, end: 14, kind: "lit" },
      { start: 12, end: 16, kind: "token" },
      { start: 40, end: 50, kind: "elsewhere" },
    ];
    expect(segments({ start: 10, end: 20 }, marks)).toEqual([
      { start: 10, end: 12, kinds: ["lit"] },
      { start: 12, end: 14, kinds: ["lit", "token"] },
      { start: 14, end: 16, kinds: ["token"] },
      { start: 16, end: 20, kinds: [] },
    ]);
  });
});

describe("the rows of the ladder", () => {
  let seq = 0;
  const data = (dir) => ({ seq: (seq += 1), t: seq * 10, kind: "data", conn: 1, dir });
  const message = (dir) => ({ seq: (seq += 1), t: seq * 10, kind: "message", conn: 1, dir });
  const other = (kind, more = {}) => ({ seq: (seq += 1), t: seq * 10, kind, conn: 1, ...more });
  const layout = (records) => {
    const rows = new Rows();
    for (const record of records) rows.add(record);
    return rows.all.map(({ inferred, tcp, messages }) =>
      inferred ? "handshake" : [tcp?.kind ?? "-", ...messages.map(({ kind, dir }) => dir ?? kind)].join(" "),
    );
  };

  it("put a message beside the chunk that it came in, and a reply beside the chunk that it left in", () => {
    const records = [
      other("connection"),
      data("in"),
      message("in"),
      message("out"),
      other("state"),
      data("out"),
    ];
    expect(layout(records)).toEqual(["handshake", "connection", "data in", "data out state"]);
  });

  it("put replies that left together beside their one chunk where they follow each other", () => {
    expect(layout([data("in"), message("in"), message("out"), message("out"), data("out")])).toEqual([
      "data in",
      "data out out",
    ]);
  });

  it("keep the order of what was pipelined", () => {
    const records = [data("in"), message("in"), message("out"), message("in"), message("out"), data("out")];
    expect(layout(records)).toEqual(["data in", "- out", "- in", "data out"]);
  });

  it("give each reply a row when each left in a chunk of its own", () => {
    expect(layout([message("out"), data("out"), message("out"), data("out")])).toEqual([
      "data out",
      "data out",
    ]);
  });

  it("give every TCP event a row", () => {
    const records = [other("end", { dir: "in" }), other("end", { dir: "out" }), other("close")];
    expect(layout(records)).toEqual(["end", "end", "close"]);
  });

  it("are never endless", () => {
    const rows = new Rows();
    for (let index = 0; index < 1000; index += 1) rows.add(message("in"));
    expect(Math.max(...rows.all.map(({ messages }) => messages.length))).toBe(20);
  });
});

describe("the page's own record", () => {
  const chunkOf = (seq, start, text) => ({
    seq,
    t: seq,
    kind: "data",
    conn: 1,
    dir: "in",
    span: { start, end: start + text.length },
    bytes: bytes(text),
  });

  it("is bounded, and counts what it drops", () => {
    const recording = new Recording();
    for (let seq = 1; seq <= 100_000; seq += 1) recording.add({ seq, t: seq, kind: "drain", conn: seq % 7 });
    let size = 0;
    for (const { records } of recording.conversations.values()) size += records.length;
    expect(size).toBeLessThanOrEqual(22_000);
    expect(size + recording.dropped).toBe(100_000);
  });

  it("finds the chunks that carried a message", () => {
    const recording = new Recording();
    for (const [index, text] of ["AU", "TH x", " y\r\nQ", "UIT"].entries()) {
      recording.add(chunkOf(index, [0, 2, 6, 11][index], text));
    }
    const conversation = recording.conversations.get(1);
    expect(conversation.chunksOf("in", { start: 3, end: 10 }).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(conversation.chunksOf("out", { start: 3, end: 10 })).toEqual([]);
  });

  it("blanks a secret in chunks that had come before anybody knew", () => {
    const recording = new Recording();
    recording.add(chunkOf(1, 0, "PASS hun"));
    recording.add(chunkOf(2, 8, "ter2\r\n"));
    recording.add({
      seq: 3,
      t: 3,
      kind: "message",
      conn: 1,
      dir: "in",
      type: "pass",
      text: "PASS [hidden]",
      span: { start: 0, end: 14 },
      secrets: [{ start: 5, end: 12 }],
    });
    const chunks = recording.conversations.get(1).chunksOf("in", { start: 0, end: 14 });
    expect(chunks.map((chunk) => Buffer.from(chunk.bytes).toString())).toEqual(["PASS ***", "****\r\n"]);
  });
});

describe("words and numbers", () => {
  const places = (text) => new Set([...text.matchAll(/\{(\w+)/g)].map(([, name]) => name));

  it("are in every language, with the same values in them", () => {
    const [english, ...others] = Object.values(catalogs);
    for (const catalog of others) {
      expect(Object.keys(catalog).toSorted()).toEqual(Object.keys(english).toSorted());
      for (const [key, text] of Object.entries(catalog)) {
        expect([key, places(text)]).toEqual([key, places(english[key])]);
      }
    }
  });

  it("follow ?lang=, then the browser, then are English", () => {
    expect(chooseLanguage("zh-CN", ["en"])).toBe("zh-CN");
    expect(chooseLanguage(null, ["de", "zh-Hans", "en"])).toBe("zh-CN");
    expect(chooseLanguage("xx", ["en-GB", "zh"])).toBe("en");
    expect(chooseLanguage(null, [])).toBe("en");
  });

  it("agree in number", () => {
    const say = speaker("en");
    expect(say("amount", { size: "1 B", chunks: 1, messages: 2000 })).toBe("1 B in 1 chunk, 2,000 messages");
    expect(say("tcpClose", { reason: "$& {size}" })).toBe("Fully closed: $& {size}.");
  });

  it.each([
    ["denied", "that address may not connect", "该地址不允许连接"],
    ["max-connections", "too many are open", "打开的连接过多"],
    ["max-per-address", "too many from that address are open", "来自该地址的打开连接过多"],
    ["rate", "they come too fast", "连接过于频繁"],
    ["descriptors", "hardly any file descriptors are left", "文件描述符即将用尽"],
    ["proxy-header", "its PROXY header was bad or late", "其 PROXY 头有误或超时"],
    ["handshake", "its TLS handshake failed or took too long", "其 TLS 握手失败或超时"],
  ])("tell why a connection was refused: %s", (reason, english, chinese) => {
    const remote = { kind: "tcp", host: "192.0.2.1", port: 7 };
    const drop = { seq: 1, t: 1, kind: "drop", service: "echo", remote, reason };
    const refused = "echo refused a connection from 192.0.2.1:7";
    expect(sentence(drop, speaker("en"))).toBe(`${refused}: ${english}.`);
    expect(sentence({ ...drop, cause: "so it was" }, speaker("en"))).toBe(
      `${refused}: ${english} (so it was).`,
    );
    expect(sentence(drop, speaker("zh-CN"))).toContain(`:${chinese}。`);
  });

  it("are short", () => {
    expect([0, 999, 1000, 12_345, 1_500_000].map((size) => formatSize(size, "en"))).toEqual([
      "0 B",
      "999 B",
      "1 kB",
      "12.3 kB",
      "1.5 MB",
    ]);
    expect([0, 1500, 2.5e6, 123e6, 4.2e9, 125e9].map(formatDuration)).toEqual([
      "0 µs",
      "2 µs",
      "2.50 ms",
      "123.0 ms",
      "4.20 s",
      "2 min 5 s",
    ]);
    expect(formatAddress({ kind: "tcp", host: "::1", port: 80 })).toBe("[::1]:80");
  });
});

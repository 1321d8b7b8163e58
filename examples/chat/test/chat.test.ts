// The chat over real connections: who hears what, and what a reader that stops reading does to the others (nothing).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "@tcpkit/core";
import type { Connection, Listener } from "@tcpkit/core";
import { expect, it } from "vitest";
import { serveChat } from "../src/chat.ts";

it("tells everybody who comes, what is said, and who goes", async () => {
  await using chat = await serveChat();
  const ann = await Person.joins(chat, "ann");
  expect(ann.lines).toEqual([
    "Welcome! What is your name?",
    "* Hello ann. Here: nobody else. /who lists names, Ctrl-C leaves.",
  ]);
  const 李 = await Person.joins(chat, "李");
  expect(await ann.hears("joined")).toBe("* 李 has joined");
  李.says("你好");
  expect(await ann.hears("你好")).toBe("<李> 你好");
  ann.says("/who");
  expect(await ann.hears("Here: ann")).toBe("* Here: ann, 李");
  李.connection.end();
  expect(await ann.hears("left")).toBe("* 李 has left");
  const cut = await Person.joins(chat, "cut");
  cut.connection.reset();
  expect(await ann.hears("vanished")).toBe("* cut has vanished");
  // Nobody hears himself, and nobody heard anything twice.
  expect(ann.lines).toHaveLength(8);
});

it("asks again for a name that is taken or no name, and such a guest neither hears nor is heard", async () => {
  await using chat = await serveChat();
  const ann = await Person.joins(chat, "ann");
  const guest = await Person.comes(chat);
  guest.says("ann");
  expect(await guest.hears("taken")).toBe("ann is taken. Another name?");
  guest.says("two words");
  expect(await guest.hears("letters")).toBe("A name has 1 to 20 letters, digits, _ or -. Yours?");
  ann.says("among ourselves");
  guest.connection.end();
  await once(guest.connection, "close");
  const bob = await Person.joins(chat, "bob");
  bob.says("hello");
  await ann.hears("hello");
  expect(guest.lines.join()).not.toContain("among ourselves");
  expect(ann.lines.slice(2)).toEqual(["* bob has joined", "<bob> hello"]);
});

it("passes on no control characters, so nobody writes on another's terminal", async () => {
  await using chat = await serveChat();
  const ann = await Person.joins(chat, "ann");
  const bob = await Person.joins(chat, "bob");
  bob.says("\u001B[2J gone\u0007");
  expect(await ann.hears("gone")).toBe("<bob> \uFFFD[2J gone\uFFFD");
});

it("closes the connection of somebody whose line never ends, and tells the others why", async () => {
  await using chat = await serveChat();
  const ann = await Person.joins(chat, "ann");
  const bob = await Person.joins(chat, "bob");
  bob.connection.write("x".repeat(3000));
  expect(await ann.hears("dropped")).toBe("* bob was dropped: no line end within 2048 bytes, at offset 2052");
});

it("drops a reader that stops reading, within bounds of memory, while the others go on", async () => {
  const backlog = 65_536;
  await using chat = await serveChat({ backlog });
  const ann = await Person.joins(chat, "ann");
  const sloth = await Person.joins(chat, "sloth");
  // The latest: connections are counted.
  const atServer = [...chat.connections].toSorted((one, other) => one.id - other.id).at(-1);
  sloth.connection.pause();
  const bob = await Person.joins(chat, "bob");

  const text = "z".repeat(1000);
  let said = 0;
  let most = 0;
  // Twenty lines at a time, as fast as ann reads them, until the kernel's buffers and our backlog are full.
  while (chat.connections.size === 3) {
    for (let i = 0; i < 20; i++) bob.says(`${said++} ${text}`);
    await ann.hears(`<bob> ${said - 1} `);
    most = Math.max(most, atServer?.bytesBuffered ?? 0);
  }
  expect(await ann.hears("sloth was")).toBe("* sloth was dropped: reads too slowly");
  expect(atServer?.closeReason).toMatchObject({ kind: "aborted", cause: { message: "reads too slowly" } });
  expect(most).toBeGreaterThan(0);
  // The line that goes over the bound is the last.
  expect(most).toBeLessThan(backlog + 2 * text.length);
  const heard = ann.lines.filter((line) => line.startsWith("<bob>"));
  expect(heard).toEqual(Array.from({ length: said }, (_, index) => `<bob> ${index} ${text}`));
  sloth.connection.destroy();
});

it("runs by itself, and ends in good order with people in it", async () => {
  const file = join(import.meta.dirname, "../src/chat.ts");
  const chat = spawn(process.execPath, [file, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const [banner] = (await once(createInterface(chat.stdout), "line")) as [string];
  expect(banner).toMatch(/^chat listens on 127\.0\.0\.1:\d+; Ctrl-C stops$/);
  const ann = await Person.joins({ port: Number(/:(\d+);/.exec(banner)?.[1]) }, "ann");
  const gone = once(ann.connection, "end");
  chat.kill("SIGTERM");
  await gone;
  expect(await once(chat, "exit")).toEqual([0, null]);
});

/** Somebody with a terminal. */
class Person {
  readonly lines: string[] = [];
  readonly connection: Connection;
  #rest = "";
  #heard = Promise.withResolvers<void>();

  private constructor(connection: Connection) {
    this.connection = connection;
    const decoder = new TextDecoder();
    connection.on("data", (chunk) => {
      const lines = (this.#rest + decoder.decode(chunk, { stream: true })).split("\r\n");
      this.#rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
  }

  static async comes(chat: Pick<Listener, "port">): Promise<Person> {
    const person = new Person(await connect({ port: chat.port }));
    await person.hears("What is your name?");
    return person;
  }

  static async joins(chat: Pick<Listener, "port">, name: string): Promise<Person> {
    const person = await Person.comes(chat);
    person.says(name);
    await person.hears(`Hello ${name}`);
    return person;
  }

  says(text: string): void {
    this.connection.write(`${text}\n`);
  }

  /** The first line with these words in it, as soon as it has come. */
  async hears(words: string): Promise<string> {
    for (;;) {
      const line = this.lines.find((line) => line.includes(words));
      if (line !== undefined) return line;
      await this.#heard.promise;
    }
  }
}

// A client of server-sent events, as small as it can be: what a browser's EventSource does, without its retries.
import { request } from "node:http";
import type { IncomingMessage } from "node:http";

/** One event of the stream. */
export interface StreamEvent {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
}

/** An open event stream. */
export interface EventStream extends AsyncDisposable {
  /** The next event. @throws when the stream ends instead. */
  next(): Promise<StreamEvent>;
  /** Comments seen so far. */
  readonly comments: number;
}

export async function openStream(port: number, lastEventId?: number): Promise<EventStream> {
  const headers = lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: "127.0.0.1", port, path: "/events", headers, agent: false }, resolve)
      .on("error", reject)
      .end();
  });
  if (response.statusCode !== 200) throw new Error(`the stream was refused: ${response.statusCode}`);
  let comments = 0;
  const ended = Promise.withResolvers<void>();
  response.on("close", () => ended.resolve());
  response.on("error", () => ended.resolve());
  async function* parse(): AsyncGenerator<StreamEvent, void> {
    let text = "";
    for await (const piece of response.setEncoding("utf8")) {
      text += piece as string;
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
        const lines = text.slice(0, end).split("\n");
        text = text.slice(end + 2);
        const field = (name: string): string =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? "";
        if (lines.some((line) => line.startsWith(":"))) comments += 1;
        if (field("event") !== "") {
          yield { id: field("id"), name: field("event"), data: JSON.parse(field("data")) };
        }
      }
    }
  }
  const events = parse();
  return {
    async next() {
      const { done, value } = await events.next();
      if (done === true) throw new Error("the stream has ended");
      return value;
    },
    get comments() {
      return comments;
    },
    async [Symbol.asyncDispose]() {
      response.destroy();
      await ended.promise;
    },
  };
}

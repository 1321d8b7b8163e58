// A reply made of a Fetch Response. It knows web streams; framing, backpressure and errors are the exchange's business.
import { localError } from "./errors.ts";
import { TEXT, TextResponse } from "./fetch-text-response.ts";
import type { TextReply } from "./fetch-text-response.ts";
import type { HttpResponse } from "./handler.ts";

type Reader = ReadableStreamDefaultReader<Uint8Array>;
type Read = Awaited<ReturnType<Reader["read"]>>;

const TEXT_FIELDS = [["content-type", TEXT]] as const;
const END = { done: true, value: undefined } as const;

/** @throws HttpError `bad-reply` for what is no Response, or none that can be sent. */
export function replyOf(method: string, response: Response): HttpResponse | Promise<HttpResponse> {
  if (typeof (response as Partial<Response> | undefined)?.status !== "number") {
    throw localError("bad-reply", `a Fetch application returns a Response, not ${typeof response}`);
  }
  const text = TextResponse.replyOf(response);
  if (text !== undefined) return textReply(text);
  const { status, statusText, body } = response;
  if (status < 200) {
    body?.cancel().catch(() => undefined);
    throw localError(
      "bad-reply",
      `a Response with status ${status} cannot be sent: it needs 200 or more, and a protocol switch is not made by a Response`,
    );
  }
  if (response.bodyUsed) throw localError("bad-reply", "the Response's body has been used already");
  const head = {
    status,
    reason: statusText === "" ? undefined : statusText,
    headers: fieldsOf(status, response.headers),
  };
  if (body !== null) return withBody(head, body.getReader());
  // How much GET would have sent is not known, so a length of zero must not be told (RFC 9110 §8.6).
  return method === "HEAD" ? { ...head, body: nothing() } : head;
}

function textReply({ status, headers, text }: TextReply): HttpResponse {
  if (headers === undefined) return { status, headers: TEXT_FIELDS, body: text };
  const fields = fieldsOf(status, headers);
  // To a string without a type the session would give one; whoever took the type away wants none.
  const typed = fields.some(([name]) => name === "content-type");
  return { status, headers: fields, body: typed ? text : Buffer.from(text) };
}

/** Fields about the connection are ours to write (RFC 9110 §7.6.1). A Response that was fetched elsewhere brings them along. */
function fieldsOf(status: number, headers: Headers): (readonly [name: string, value: string])[] {
  const fields: (readonly [string, string])[] = [];
  for (const field of headers) {
    switch (field[0]) {
      case "connection":
        if (/(?:^|,)\s*close\s*(?:,|$)/i.test(field[1])) fields.push(["Connection", "close"]);
        break;
      case "keep-alive":
      case "proxy-connection":
      case "transfer-encoding":
        break;
      case "upgrade":
        // Upgrade Required says to what (RFC 9110 §15.5.22).
        if (status === 426) fields.push(field);
        break;
      default:
        fields.push(field);
    }
  }
  return fields;
}

/**
 * A string, bytes or a form stand behind a stream as well: one piece, and then the end, without waiting for anything. What
 * has come to its end by the time that all promises which could be settled are is sent whole; anything else as it comes.
 */
function withBody(head: HttpResponse, reader: Reader): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const reads = [reader.read()];
    let waiting = true;
    const whole = (body?: Uint8Array): void => {
      waiting = false;
      resolve({ ...head, body });
    };
    const streamed = (): void => {
      if (waiting) resolve({ ...head, body: new Pieces(reader, reads) });
    };
    reads[0]!
      .then((first) => {
        if (first.done) return whole();
        reads.push(reader.read());
        return reads[1]!.then((second) => {
          if (second.done) whole(checked(first).value);
          else streamed();
        });
      })
      .catch(reject);
    // Behind all promises that are settled by now, and those that they settle.
    queueMicrotask(() => process.nextTick(streamed));
  });
}

/** The pieces of a stream; leaving them early cancels it. */
class Pieces implements AsyncIterableIterator<Uint8Array> {
  readonly #reader: Reader;
  /** Reads begun and not yet given out. */
  readonly #reads: Promise<Read>[];

  constructor(reader: Reader, reads: Promise<Read>[]) {
    this.#reader = reader;
    this.#reads = reads;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return checked(await (this.#reads.shift() ?? this.#reader.read()));
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.#reader.cancel();
    return END;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

function checked(read: Read): IteratorResult<Uint8Array, undefined> {
  if (read.done) return END;
  if (read.value instanceof Uint8Array) return read;
  throw localError("bad-reply", `the stream of a Response gives Uint8Arrays, not ${typeof read.value}`);
}

// @ts-check
// What the page knows: the records, sorted by conversation. Pure: it knows no document and no network.

/** @typedef {import("../src/kept.ts").KeptRecord} KeptRecord */
/** @typedef {Extract<KeptRecord, { kind: "data" }>} DataRecord */
/** @typedef {Extract<KeptRecord, { kind: "message" }>} MessageRecord */
/** @typedef {import("@tcpkit/core").Address} Address */
/** @typedef {import("@tcpkit/core").Direction} Direction */

/** Records that the page keeps; the oldest go first. */
const MAX_RECORDS = 20_000;
/** How many go at a time, so that the sorting-out costs little for each. */
const TRIM = 2000;
/** The conversation of what belongs to no connection: listening, refused connections, failures to accept. */
export const LISTENERS = 0;

/** One connection, as far as it was seen; or, under the number 0, the listeners. */
export class Conversation {
  /** @type {KeptRecord[]} */
  records = [];
  /** @type {"server" | "client" | "unknown" | "listeners"} */
  role = "unknown";
  service = "?";
  /** @type {Address | undefined} */
  local;
  /** @type {Address | undefined} */
  remote;
  open = true;
  /** Why it closed. */
  reason = "";
  cause = "";
  state = "";
  bytes = { in: 0, out: 0 };
  chunks = { in: 0, out: 0 };
  messages = { in: 0, out: 0 };
  errors = 0;

  /** @param {number} id @param {number} t */
  constructor(id, t) {
    this.id = id;
    /** When it was first seen, in nanoseconds of the program's own clock. */
    this.t = t;
    if (id === LISTENERS) this.role = "listeners";
  }

  /** Where it can be found by a search. */
  get haystack() {
    const places = [this.local, this.remote].map((place) =>
      place === undefined ? "" : place.kind === "unix" ? place.path : `${place.host}:${place.port}`,
    );
    return [`#${this.id}`, this.service, ...places, this.reason, this.state].join(" ").toLowerCase();
  }

  /** @param {KeptRecord} record */
  add(record) {
    this.records.push(record);
    switch (record.kind) {
      case "connection":
      case "connect":
        this.role = record.kind === "connect" ? "client" : "server";
        this.service = record.service;
        this.local = record.local;
        this.remote = record.remote;
        this.t = record.t;
        break;
      case "data":
        this.bytes[record.dir] = record.span.end;
        this.chunks[record.dir] += 1;
        break;
      case "message":
        this.messages[record.dir] += 1;
        if (record.secrets !== undefined) this.#blank(record.dir, record.secrets);
        break;
      case "state":
        this.state = record.to;
        break;
      case "error":
        this.errors += 1;
        break;
      case "close":
        this.open = false;
        this.reason = record.reason;
        this.cause = record.cause ?? "";
        break;
      default:
        break;
    }
  }

  /**
   * The chunks that carried a stretch of bytes.
   * @param {Direction} dir @param {import("./bytes.js").Span} span
   * @returns {DataRecord[]}
   */
  chunksOf(dir, span) {
    /** @type {DataRecord[]} */
    const found = [];
    for (let index = this.records.length - 1; index >= 0; index -= 1) {
      const record = this.records[index];
      if (record?.kind !== "data" || record.dir !== dir) continue;
      if (record.span.end <= span.start) break;
      if (record.span.start < span.end) found.unshift(record);
    }
    return found;
  }

  /**
   * Blanks secrets in chunks that were sent to this page before their message was whole.
   * @param {Direction} dir @param {readonly import("./bytes.js").Span[]} secrets
   */
  #blank(dir, secrets) {
    for (const secret of secrets) {
      for (const chunk of this.chunksOf(dir, secret)) {
        const start = Math.max(secret.start, chunk.span.start);
        const end = Math.min(secret.end, chunk.span.end);
        if (chunk.hidden?.some((span) => span.start <= start && span.end >= end)) continue;
        chunk.bytes.fill(0x2a, start - chunk.span.start, end - chunk.span.start);
        chunk.hidden = [...(chunk.hidden ?? []), { start, end }];
      }
    }
  }
}

/** All conversations, bounded in records. */
export class Recording {
  /** @type {Map<number, Conversation>} */
  conversations = new Map();
  /** Records that this page does not have: dropped on their way, or by the page itself. */
  dropped = 0;
  #size = 0;
  /** The number of the newest record. */
  #last = 0;

  /** Adds a record, and returns its conversation. @param {KeptRecord} record */
  add(record) {
    const id = "conn" in record && record.conn !== undefined ? record.conn : LISTENERS;
    let conversation = this.conversations.get(id);
    if (conversation === undefined) {
      conversation = new Conversation(id, record.t);
      this.conversations.set(id, conversation);
    }
    conversation.add(record);
    this.#size += 1;
    this.#last = record.seq;
    if (this.#size > MAX_RECORDS + TRIM) this.#trim();
    return conversation;
  }

  clear() {
    this.conversations.clear();
    this.dropped = 0;
    this.#size = 0;
  }

  #trim() {
    const oldest = this.#last - MAX_RECORDS;
    this.#size = 0;
    for (const [id, conversation] of this.conversations) {
      const kept = conversation.records.filter((record) => record.seq > oldest);
      this.dropped += conversation.records.length - kept.length;
      conversation.records = kept;
      this.#size += kept.length;
      if (kept.length === 0 && !conversation.open) this.conversations.delete(id);
    }
  }
}

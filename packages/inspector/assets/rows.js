// @ts-check
// The rows of the ladder: a chunk or TCP event on one side, and beside it the messages that belong to it. Pure.
//
// A row begins with each TCP event. What comes in is recorded as chunk, then messages; what goes out as messages,
// then the chunk that carries them: so a chunk going out joins the row of the messages before it.

/** @typedef {import("./recording.js").KeptRecord} KeptRecord */
/** @typedef {import("./recording.js").MessageRecord} MessageRecord */
/** @typedef {Extract<KeptRecord, { kind: "state" }>} StateRecord */

/** Messages in one row; a chunk of a thousand lines then has many rows, and none is endless. */
const MAX_MESSAGES = 20;

/**
 * One row. `inferred` marks the handshake, which the kernel did and nobody here has seen.
 * @typedef {object} Row
 * @property {number} index
 * @property {number} t
 * @property {number | undefined} delta Nanoseconds since the row before; none for what nobody has timed.
 * @property {"in" | "out" | undefined} dir
 * @property {"server" | "client" | undefined} inferred
 * @property {KeptRecord | undefined} tcp
 * @property {(MessageRecord | StateRecord)[]} messages
 */

/** Puts the records of one conversation into rows, one at a time. */
export class Rows {
  /** @type {Row[]} */
  all = [];

  /**
   * Adds a record and returns the row it stands in: the last one, new or longer than before.
   * @param {KeptRecord} record
   */
  add(record) {
    const last = this.all.at(-1);
    if (record.kind === "state") {
      const row = last ?? this.#begin(record.t, undefined);
      row.messages.push(record);
      return row;
    }
    if (record.kind === "message") {
      const joins = last !== undefined && last.dir === record.dir && last.messages.length < MAX_MESSAGES;
      // A reply's row is complete once its chunk has left: the next reply has a chunk of its own.
      const row = joins && !(record.dir === "out" && last.tcp) ? last : this.#begin(record.t, record.dir);
      row.messages.push(record);
      return row;
    }
    if (record.kind === "connection" || record.kind === "connect") {
      const handshake = this.#begin(record.t, undefined);
      handshake.inferred = record.kind === "connect" ? "client" : "server";
      handshake.delta = undefined;
    }
    const dir = record.kind === "data" || record.kind === "end" ? record.dir : undefined;
    const carries = record.kind === "data" && dir === "out" && last?.dir === "out" && last.tcp === undefined;
    const row = carries ? last : this.#begin(record.t, dir);
    row.tcp = record;
    return row;
  }

  /** @param {number} t @param {"in" | "out" | undefined} dir @returns {Row} */
  #begin(t, dir) {
    const before = this.all.at(-1);
    const delta = before === undefined || before.inferred !== undefined ? undefined : t - before.t;
    /** @type {Row} */
    const row = { index: this.all.length, t, delta, dir, inferred: undefined, tcp: undefined, messages: [] };
    this.all.push(row);
    return row;
  }
}

// @ts-check
// The ladder of one connection: a window of its rows, which follows the latest until the reader goes back.
import { ChunkView } from "./chunk-view.js";
import { byId, ensureTabStop, h, roving } from "./dom.js";
import { eventCard, handshakeCard, stateCard } from "./event-view.js";
import { formatDuration } from "./format.js";
import { MessageView } from "./message-view.js";
import { Rows } from "./rows.js";

/** @typedef {import("./bytes.js").Span} Span */
/** @typedef {import("./recording.js").Conversation} Conversation */
/** @typedef {import("./recording.js").Direction} Direction */
/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("./strings.js").Say} Say */
/** @typedef {import("./chunk-view.js").Mode} Mode */

/** Rows shown at first, and added at a time. */
const PAGE = 150;
/** Rows in the document at most: more would make every change slow. */
const MAX_ROWS = 600;
/** How far from the end still counts as the end, in pixels. */
const NEAR = 40;

/** A row in the document. */
class RowView {
  /** @type {ChunkView | undefined} */
  chunk;
  /** @type {MessageView[]} */
  messages = [];
  #shownTcp = false;
  #shownMessages = 0;

  /** @param {Row} row @param {TimelineView} timeline @param {Conversation} conversation */
  constructor(row, timeline, conversation) {
    this.row = row;
    this.timeline = timeline;
    this.conversation = conversation;
    const { say } = timeline;
    const since = say("sinceStart", { time: formatDuration(Math.max(0, row.t - conversation.t)) });
    const delta = row.delta === undefined ? "" : `+${formatDuration(row.delta)}`;
    this.tcp = h("td", { role: "cell", class: "lane tcp" });
    this.lane = h("td", { role: "cell", class: "lane messages" });
    this.element = h(
      "tr",
      { role: "row", class: "row" },
      h("td", { role: "cell", class: "time" }, h("span", { title: since }, delta)),
      this.tcp,
      this.lane,
    );
    this.update();
  }

  /** Shows what the row has got since it was last shown. */
  update() {
    const { row, timeline, conversation } = this;
    const { say } = timeline;
    if (row.inferred !== undefined && this.tcp.childElementCount === 0) {
      this.tcp.append(handshakeCard(row.inferred, say));
    }
    if (row.tcp !== undefined && !this.#shownTcp) {
      this.#shownTcp = true;
      if (row.tcp.kind === "data") this.#addChunk(row.tcp);
      else this.tcp.append(eventCard(row.tcp, say));
    }
    for (; this.#shownMessages < row.messages.length; this.#shownMessages += 1) {
      const record = row.messages[this.#shownMessages];
      if (record?.kind === "state") this.lane.append(stateCard(record, say));
      if (record?.kind !== "message") continue;
      const view = new MessageView(record, {
        conversation,
        say,
        language: timeline.language,
        mode: () => timeline.mode,
        light: (dir, span, token) => timeline.light(dir, span, token),
      });
      this.messages.push(view);
      this.lane.append(view.element);
    }
  }

  /** @param {import("./recording.js").DataRecord} record */
  #addChunk(record) {
    const { timeline } = this;
    const chunk = new ChunkView(record, timeline.mode, timeline.say);
    this.chunk = chunk;
    const on = () => timeline.lightMessages(record.dir, record.span);
    const off = () => timeline.lightMessages(record.dir, undefined);
    chunk.element.addEventListener("mouseenter", on);
    chunk.element.addEventListener("focusin", on);
    chunk.element.addEventListener("mouseleave", off);
    chunk.element.addEventListener("focusout", off);
    this.tcp.append(chunk.element);
  }
}

export class TimelineView {
  /** @type {Mode} */
  mode = "text";
  following = true;
  #pane = byId("timeline-pane");
  #body = byId("rows");
  #older = byId("older");
  #newer = byId("newer");
  #follow = byId("follow");
  #rows = new Rows();
  /** The rows in the document: those from `#from` on. @type {RowView[]} */
  #views = [];
  #from = 0;
  #to = 0;
  /** Where the pane stood last: only scrolling back ends the following. */
  #top = 0;
  /** @type {Conversation | undefined} */
  #conversation;
  /** Records of the conversation that are in rows. */
  #taken = 0;
  /** The first record that was taken: another one means that the oldest records have gone. @type {number | undefined} */
  #first;

  /** @param {Say} say @param {string} language */
  constructor(say, language) {
    this.say = say;
    this.language = language;
    roving(this.#body, "[data-item]");
    this.#older.addEventListener("click", () => this.#page(-PAGE));
    this.#newer.addEventListener("click", () => this.#page(PAGE));
    this.#follow.addEventListener("click", () => this.follow(!this.following));
    this.#pane.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#pane;
      const back = scrollTop < this.#top;
      this.#top = scrollTop;
      if (this.following && back && scrollHeight - scrollTop - clientHeight > NEAR) this.follow(false);
    });
  }

  /** Shows a connection from its latest rows on. @param {Conversation | undefined} conversation */
  show(conversation) {
    this.#conversation = conversation;
    this.#rebuild();
    this.follow(true);
  }

  /** Takes in what the connection has got since. */
  update() {
    const records = this.#conversation?.records ?? [];
    if (this.#first !== undefined && records[0]?.seq !== this.#first) return this.#rebuild();
    if (records.length === this.#taken) {
      // The rows may have been placed while nothing was shown, when there was no end to scroll to.
      if (this.following) this.#toEnd();
      return undefined;
    }
    this.#first = records[0]?.seq;
    let changed = this.#rows.all.length - 1;
    for (; this.#taken < records.length; this.#taken += 1) {
      const record = records[this.#taken];
      if (record !== undefined) changed = Math.min(changed, this.#rows.add(record).index);
    }
    for (const view of this.#views.slice(Math.max(0, changed - this.#from))) view.update();
    // A secret may have been blanked in a chunk that is already shown.
    for (const { chunk } of this.#views) {
      if (chunk !== undefined && chunk.record.hidden !== chunk.shownHidden) chunk.render();
    }
    if (!this.following && this.#to - this.#from < MAX_ROWS) {
      this.#to = Math.min(this.#rows.all.length, this.#from + MAX_ROWS);
    }
    return this.#render();
  }

  /** @param {boolean} following */
  follow(following) {
    this.following = following;
    this.#follow.setAttribute("aria-pressed", String(following));
    if (following) this.#render();
  }

  /** @param {Mode} mode */
  showAs(mode) {
    this.mode = mode;
    for (const view of this.#views) {
      view.chunk?.show(mode);
      for (const message of view.messages) message.render();
    }
    if (this.following) this.#toEnd();
  }

  /**
   * Lights up the bytes of a message in the chunks that carried it, and one token in it.
   * @param {Direction} dir @param {Span | undefined} span @param {Span} [token]
   */
  light(dir, span, token) {
    for (const { chunk } of this.#views) {
      if (chunk === undefined) continue;
      const lit = span !== undefined && chunk.record.dir === dir && overlaps(chunk.record.span, span);
      chunk.element.classList.toggle("lit", lit);
      const marks = lit ? [{ ...span, kind: "lit" }] : [];
      chunk.mark(lit && token !== undefined ? [...marks, { ...token, kind: "lit-token" }] : marks);
    }
  }

  /** Lights up the messages that a chunk carried. @param {Direction} dir @param {Span | undefined} span */
  lightMessages(dir, span) {
    for (const { messages } of this.#views) {
      for (const { element, record } of messages) {
        const lit = span !== undefined && record.dir === dir && overlaps(record.span, span);
        element.classList.toggle("lit", lit);
      }
    }
  }

  #rebuild() {
    this.#rows = new Rows();
    this.#taken = 0;
    this.#first = undefined;
    this.#views = [];
    this.#body.replaceChildren();
    this.#from = 0;
    this.#to = 0;
    const records = this.#conversation?.records ?? [];
    for (const record of records) this.#rows.add(record);
    this.#taken = records.length;
    this.#first = records[0]?.seq;
    this.#to = this.#rows.all.length;
    this.#from = Math.max(0, this.#to - PAGE);
    this.#render();
  }

  /** Moves the window by some rows. @param {number} by */
  #page(by) {
    this.follow(false);
    const { length } = this.#rows.all;
    if (by < 0) {
      this.#from = Math.max(0, this.#from + by);
      this.#to = Math.min(this.#to, this.#from + MAX_ROWS);
    } else {
      this.#to = Math.min(length, this.#to + by);
      this.#from = Math.max(this.#from, this.#to - MAX_ROWS);
    }
    this.#render();
  }

  #render() {
    const { all } = this.#rows;
    if (this.following) {
      this.#to = all.length;
      if (this.#to - this.#from > MAX_ROWS) this.#from = this.#to - PAGE;
    }
    this.#place();
    this.#older.hidden = this.#from === 0;
    this.#older.textContent = this.say("older", { count: this.#from });
    this.#newer.hidden = this.#to === all.length;
    this.#newer.textContent = this.say("newer", { count: all.length - this.#to });
    ensureTabStop(this.#body, "[data-item]");
    if (this.following) this.#toEnd();
  }

  /** Makes the document hold exactly the rows of the window; those that stay are not touched. */
  #place() {
    const conversation = this.#conversation;
    if (conversation === undefined) return;
    const held = this.#body.contains(document.activeElement);
    const kept = this.#views.filter(({ row }) => row.index >= this.#from && row.index < this.#to);
    for (const view of this.#views) if (!kept.includes(view)) view.element.remove();
    const make = (/** @type {Row} */ row) => new RowView(row, this, conversation);
    const first = kept[0]?.row.index ?? this.#to;
    const before = this.#rows.all.slice(this.#from, first).map(make);
    const next = kept.length === 0 ? this.#to : first + kept.length;
    const after = this.#rows.all.slice(next, this.#to).map(make);
    this.#body.prepend(...before.map(({ element }) => element));
    this.#body.append(...after.map(({ element }) => element));
    this.#views = [...before, ...kept, ...after];
    // The focus must not fall out of the page with the row that had it.
    if (held && !this.#body.contains(document.activeElement)) this.#pane.focus();
  }

  #toEnd() {
    this.#pane.scrollTop = this.#pane.scrollHeight;
    this.#top = this.#pane.scrollTop;
  }
}

/** @param {Span} a @param {Span} b */
function overlaps(a, b) {
  return a.start < b.end && b.start < a.end;
}

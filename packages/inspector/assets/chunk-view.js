// @ts-check
// Shows bytes as text or hex, with marks on them, and a chunk with all that is known of it.
import { hex, printable, segments, textPieces } from "./bytes.js";
import { h } from "./dom.js";

/** @typedef {import("./bytes.js").Mark} Mark */
/** @typedef {import("./bytes.js").Span} Span */
/** @typedef {import("./recording.js").DataRecord} DataRecord */
/** @typedef {import("./strings.js").Say} Say */
/** @typedef {"text" | "hex"} Mode */

/** Bytes shown of a chunk before it is opened. */
const PREVIEW = { text: 640, hex: 192 };
/** Bytes in a line of hex: eight fit even on a telephone. */
const HEX_WIDTH = 8;

/**
 * A stretch of bytes that begins at the absolute offset `start`.
 * @param {Uint8Array} bytes @param {number} start @param {Mode} mode @param {readonly Mark[]} marks
 * @returns {DocumentFragment}
 */
export function renderBytes(bytes, start, mode, marks) {
  const fragment = document.createDocumentFragment();
  if (mode === "text") {
    for (const segment of segments({ start, end: start + bytes.length }, marks)) {
      const target = marked(fragment, segment.kinds);
      addText(target, bytes.subarray(segment.start - start, segment.end - start));
      // A line break inside a mark would break the line before the mark's end is seen: textPieces leaves out the
      // last one, and it is put back here, between the segments.
      if (bytes[segment.end - start - 1] === 0x0a && segment.end < start + bytes.length)
        fragment.append("\n");
    }
    return fragment;
  }
  for (let at = 0; at < bytes.length; at += HEX_WIDTH) {
    const line = bytes.subarray(at, at + HEX_WIDTH);
    const offset = (start + at).toString(16).padStart(4, "0");
    fragment.append(h("span", { class: "offset" }, offset), " ");
    const parts = segments({ start: start + at, end: start + at + line.length }, marks);
    addColumns(fragment, line, start + at, parts, (byte) => `${hex(byte)} `);
    fragment.append(" ".repeat(3 * (HEX_WIDTH - line.length) + 1));
    addColumns(fragment, line, start + at, parts, printable);
    if (at + HEX_WIDTH < bytes.length) fragment.append("\n");
  }
  return fragment;
}

/** @param {Node} parent @param {Uint8Array} bytes */
function addText(parent, bytes) {
  for (const { text, kind } of textPieces(bytes)) {
    parent.appendChild(kind === "plain" ? document.createTextNode(text) : h("span", { class: kind }, text));
  }
}

/**
 * @param {Node} parent @param {Uint8Array} line @param {number} start
 * @param {readonly import("./bytes.js").Segment[]} parts @param {(byte: number) => string} show
 */
function addColumns(parent, line, start, parts, show) {
  for (const part of parts) {
    const text = Array.from(line.subarray(part.start - start, part.end - start), show).join("");
    marked(parent, part.kinds).appendChild(document.createTextNode(text));
  }
}

/** Where marked bytes go: into an element of their own. @param {Node} parent @param {readonly string[]} kinds @returns {Node} */
function marked(parent, kinds) {
  return kinds.length === 0 ? parent : parent.appendChild(h("mark", { class: kinds.join(" ") }));
}

/** One chunk of one connection. */
export class ChunkView {
  /** @type {readonly Mark[]} */
  #marks = [];
  #expanded = false;

  /** @param {DataRecord} record @param {Mode} mode @param {Say} say */
  constructor(record, mode, say) {
    this.record = record;
    this.mode = mode;
    this.say = say;
    const { dir, span } = record;
    const length = span.end - span.start;
    const place = { dir: say(dir), start: span.start, end: span.end };
    this.bytes = h("pre", { class: "bytes" });
    this.note = h("p", { class: "note" });
    this.toggle = h("button", {
      type: "button",
      class: "link",
      tabindex: -1,
      onclick: () => this.#expand(!this.#expanded),
    });
    this.element = h(
      "div",
      {
        class: `card chunk ${dir}`,
        role: "group",
        "aria-label": say("chunkLabel", place),
        tabindex: -1,
        "data-item": true,
        onkeydown: (/** @type {KeyboardEvent} */ event) => {
          if (event.key === "Enter" && event.target === this.element) this.#expand(!this.#expanded);
        },
      },
      h(
        "p",
        { class: "card-head" },
        h("span", { class: "dir" }, `${dir === "in" ? "→" : "←"} ${say(dir)}`),
        h("strong", {}, "data"),
        h("span", { class: "quiet" }, say("chunk", { count: length })),
        h("span", { class: "quiet offsets" }, say("offsets", place)),
      ),
      this.bytes,
      this.toggle,
      this.note,
    );
    /** The secrets that are shown as blanked: the record may have got others since. */
    this.shownHidden = record.hidden;
    this.render();
  }

  /** Lights up parts of it. @param {readonly Mark[]} marks */
  mark(marks) {
    if (marks.length === 0 && this.#marks.length === 0) return;
    this.#marks = marks;
    this.render();
  }

  /** @param {Mode} mode */
  show(mode) {
    this.mode = mode;
    this.render();
  }

  render() {
    const { record, mode, say } = this;
    const { span, bytes, hidden = [] } = record;
    this.shownHidden = record.hidden;
    const limit = PREVIEW[mode];
    const shown = this.#expanded ? bytes : bytes.subarray(0, limit);
    const marks = [...this.#marks, ...hidden.map((secret) => ({ ...secret, kind: "secret" }))];
    this.bytes.replaceChildren(renderBytes(shown, span.start, mode, marks));
    this.toggle.hidden = bytes.length <= limit;
    this.toggle.textContent = say(this.#expanded ? "showFewerBytes" : "showAllBytes", {
      count: bytes.length,
    });
    const notes = [];
    const length = span.end - span.start;
    if (bytes.length < length) notes.push(say("keptOnly", { kept: bytes.length, count: length }));
    if (hidden.length > 0) notes.push(say("secretsBlanked"));
    this.note.textContent = notes.join(" ");
    this.note.hidden = notes.length === 0;
  }

  /** @param {boolean} expanded */
  #expand(expanded) {
    if (this.toggle.hidden) return;
    this.#expanded = expanded;
    this.render();
  }
}

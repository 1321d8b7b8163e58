// @ts-check
// Shows a protocol message: one line, and when it is opened its bytes, where the chunks were cut, and its pieces.
import { renderBytes } from "./chunk-view.js";
import { h } from "./dom.js";
import { formatSize } from "./format.js";

/** @typedef {import("./bytes.js").Span} Span */
/** @typedef {import("./recording.js").Conversation} Conversation */
/** @typedef {import("./recording.js").Direction} Direction */
/** @typedef {import("./recording.js").MessageRecord} MessageRecord */
/** @typedef {import("./strings.js").Say} Say */
/** @typedef {import("./chunk-view.js").Mode} Mode */

/** Bytes of a message shown when it is opened; its chunks have the rest. */
const MAX_BYTES = 4096;

/**
 * What a message view needs from the timeline.
 * @typedef {object} MessageContext
 * @property {Conversation} conversation
 * @property {Say} say
 * @property {string} language
 * @property {() => Mode} mode
 * @property {(dir: Direction, span: Span | undefined, token?: Span) => void} light Lights up bytes in the chunks.
 */

/** @typedef {{ on: boolean, token: Span | undefined }} Attention */

/** One message of one connection. */
export class MessageView {
  /** What the pointer is on, and what has the focus: either lights up. @type {Attention} */
  #pointed = { on: false, token: undefined };
  /** @type {Attention} */
  #focused = { on: false, token: undefined };
  #details = h("div", { class: "details", hidden: true });

  /** @param {MessageRecord} record @param {MessageContext} context */
  constructor(record, context) {
    this.record = record;
    this.context = context;
    const { dir, span, type, text } = record;
    const { say } = context;
    const label = say("messageLabel", { type, dir: say(dir), start: span.start, end: span.end });
    this.button = h(
      "button",
      {
        type: "button",
        class: "message-head",
        tabindex: -1,
        "data-item": true,
        "aria-expanded": "false",
        onclick: () => this.#toggle(),
      },
      h("span", { class: "visually-hidden" }, `${label}: `),
      h(
        "span",
        { class: "card-head", "aria-hidden": "true" },
        h("span", { class: "dir" }, `${dir === "in" ? "→" : "←"} ${say(dir)}`),
        h("strong", {}, type),
        h("span", { class: "quiet offsets" }, say("offsets", { start: span.start, end: span.end })),
      ),
      h("span", { class: "line" }, text),
    );
    this.element = h(
      "div",
      {
        class: `card message ${dir}`,
        onmouseenter: () => this.#light(this.#pointed, { on: true }),
        onmouseleave: () => this.#light(this.#pointed, { on: false, token: undefined }),
        onfocusin: () => this.#light(this.#focused, { on: true }),
        onfocusout: () => this.#light(this.#focused, { on: false, token: undefined }),
      },
      this.button,
      this.#details,
    );
  }

  /** Shows its bytes again, in the mode of the timeline. */
  render() {
    if (!this.#details.hidden) this.#details.replaceChildren(...this.#contents());
  }

  /** Notes where the attention is, and lights up the bytes. @param {Attention} attention @param {Partial<Attention>} change */
  #light(attention, change) {
    Object.assign(attention, change);
    const { dir, span } = this.record;
    const lit = this.#pointed.on || this.#focused.on;
    this.context.light(dir, lit ? span : undefined, this.#pointed.token ?? this.#focused.token);
  }

  #toggle() {
    this.#details.hidden = !this.#details.hidden;
    this.button.setAttribute("aria-expanded", String(!this.#details.hidden));
    this.render();
  }

  /** @returns {Node[]} */
  #contents() {
    const { say, language, conversation } = this.context;
    const { dir, span, tokens = [] } = this.record;
    if (span.start === span.end) return [h("p", { class: "quiet" }, say("noBytes"))];
    const chunks = conversation.chunksOf(dir, span);
    const size = formatSize(span.end - span.start, language);
    const carried =
      chunks.length === 0 ? say("carriedNone") : say("carried", { size, chunks: chunks.length });
    /** @type {Node[]} */
    const contents = [h("p", { class: "quiet" }, carried)];
    if (chunks.length > 0) contents.push(...this.#bytes(chunks));
    contents.push(tokens.length === 0 ? h("p", { class: "quiet" }, say("noTokens")) : this.#tokens(tokens));
    return contents;
  }

  /** @param {import("./recording.js").DataRecord[]} chunks @returns {Node[]} */
  #bytes(chunks) {
    const { span, tokens = [] } = this.record;
    const bytes = h("pre", { class: "bytes" });
    const end = Math.min(span.end, span.start + MAX_BYTES);
    const marks = tokens.map((token, index) => ({ ...token, kind: `token t${index % 2}` }));
    for (const [index, chunk] of chunks.entries()) {
      const from = Math.max(span.start, chunk.span.start);
      const to = Math.min(end, chunk.span.end);
      if (from >= to) break;
      const kept = chunk.bytes.subarray(from - chunk.span.start, to - chunk.span.start);
      const hidden = (chunk.hidden ?? []).map((secret) => ({ ...secret, kind: "secret" }));
      const mode = this.context.mode();
      if (index > 0) bytes.append(h("span", { class: "border" }, mode === "text" ? "┊" : "\n┊\n"));
      bytes.append(renderBytes(kept, from, mode, [...marks, ...hidden]));
    }
    return chunks.length === 1 ? [bytes] : [h("p", { class: "quiet" }, this.context.say("borders")), bytes];
  }

  /** @param {readonly import("@tcpkit/core").Token[]} tokens @returns {Node} */
  #tokens(tokens) {
    const { say } = this.context;
    const head = [say("tokenName"), say("tokenOffsets"), say("tokenBytes")];
    return h(
      "table",
      { class: "tokens" },
      h("caption", { class: "visually-hidden" }, say("tokens")),
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...tokens.map((token) => this.#token(token))),
    );
  }

  /** @param {import("@tcpkit/core").Token} token @returns {Node} */
  #token(token) {
    const { conversation } = this.context;
    const { dir } = this.record;
    const value = h("code", {});
    for (const chunk of conversation.chunksOf(dir, token)) {
      const from = Math.max(token.start, chunk.span.start);
      const to = Math.min(token.end, chunk.span.end, from + 200);
      const kept = chunk.bytes.subarray(from - chunk.span.start, to - chunk.span.start);
      const hidden = (chunk.hidden ?? []).map((secret) => ({ ...secret, kind: "secret" }));
      value.append(renderBytes(kept, from, "text", hidden));
    }
    const point = (/** @type {Span | undefined} */ target) => this.#light(this.#pointed, { token: target });
    // The message hears of the focus after this.
    const focus = (/** @type {Span | undefined} */ target) => this.#light(this.#focused, { token: target });
    return h(
      "tr",
      {
        onmouseenter: () => point(token),
        onmouseleave: () => point(undefined),
        onfocusin: () => focus(token),
      },
      h("th", { scope: "row" }, h("button", { type: "button", class: "link" }, token.name)),
      h("td", {}, `${token.start}–${token.end}`),
      h("td", {}, value),
    );
  }
}

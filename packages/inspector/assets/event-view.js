// @ts-check
// Shows what is neither chunk nor message: TCP events in a sentence, changes of state, and the inferred handshake.
import { h } from "./dom.js";
import { formatAddress } from "./format.js";

/** @typedef {import("./recording.js").KeptRecord} KeptRecord */
/** @typedef {import("./strings.js").Say} Say */
/** @typedef {import("./strings.js").Key} Key */

/** @type {Readonly<Record<string, Key>>} */
const REASONS = {
  ended: "reasonEnded",
  reset: "reasonReset",
  timeout: "reasonTimeout",
  aborted: "reasonAborted",
  protocol: "reasonProtocol",
  local: "reasonLocal",
};

/** @type {Readonly<Record<Extract<KeptRecord, { kind: "drop" }>["reason"], Key>>} */
const DROP_REASONS = {
  denied: "dropDenied",
  "max-connections": "dropMaxConnections",
  "max-per-address": "dropMaxPerAddress",
  rate: "dropRate",
  descriptors: "dropDescriptors",
  "proxy-header": "dropProxyHeader",
  handshake: "dropHandshake",
};

/** Why a connection closed, in words. @param {string} reason @param {Say} say */
export function reasonText(reason, say) {
  const key = REASONS[reason];
  return key === undefined ? reason : say(key);
}

/** What is known of the error behind it, in brackets. @param {string | undefined} cause */
function inBrackets(cause) {
  return cause === undefined ? "" : ` (${cause})`;
}

/** What happened, in a sentence. @param {KeptRecord} record @param {Say} say @returns {string} */
export function sentence(record, say) {
  switch (record.kind) {
    case "listening":
      return say("tcpListening", { address: formatAddress(record.local) });
    case "draining":
      return say("tcpDraining", {
        service: record.service,
        address: formatAddress(record.local),
        count: record.connections,
      });
    case "drained":
      return say("tcpDrained", { drained: record.drained, cut: record.cut });
    case "connection":
      return say("tcpConnection", { service: record.service, address: formatAddress(record.remote) });
    case "connect":
      return say("tcpConnect", { address: formatAddress(record.remote) });
    case "drop":
      return say("tcpDrop", {
        service: record.service,
        address: formatAddress(record.remote),
        reason: `${say(DROP_REASONS[record.reason])}${inBrackets(record.cause)}`,
      });
    case "secure": {
      const named = [record.protocol, record.cipher, record.alpn, record.servername];
      return say("tcpSecure", { details: named.filter((name) => name !== undefined).join(", ") });
    }
    case "end":
      return say(record.dir === "in" ? "tcpEndIn" : "tcpEndOut");
    case "drain":
      return say("tcpDrain");
    case "timeout":
      return say("tcpTimeout");
    case "pause":
      return say("tcpPause");
    case "resume":
      return say("tcpResume");
    case "error":
      return `${record.code}: ${record.message}`;
    case "close":
      return say("tcpClose", { reason: `${reasonText(record.reason, say)}${inBrackets(record.cause)}` });
    default:
      return "";
  }
}

/** A TCP event that carries no bytes. @param {KeptRecord} record @param {Say} say */
export function eventCard(record, say) {
  const dir = record.kind === "end" ? record.dir : undefined;
  return h(
    "div",
    {
      class: `card event ${record.kind} ${dir ?? ""}`,
      role: "group",
      "aria-label": record.kind,
      tabindex: -1,
      "data-item": true,
    },
    h(
      "p",
      { class: "card-head" },
      dir !== undefined && h("span", { class: "dir" }, `${dir === "in" ? "→" : "←"} ${say(dir)}`),
      h("strong", {}, record.kind),
    ),
    h("p", {}, sentence(record, say)),
  );
}

/** A change of state. @param {Extract<KeptRecord, { kind: "state" }>} record @param {Say} say */
export function stateCard(record, say) {
  return h(
    "p",
    { class: "state-change" },
    h("span", { class: "quiet" }, say("stateChange")),
    " ",
    h("code", {}, record.from),
    " → ",
    h("code", {}, record.to),
    " ",
    h("span", { class: "quiet" }, say("because", { why: record.why })),
  );
}

/** The three-way handshake: nobody here has seen it. @param {"server" | "client"} role @param {Say} say */
export function handshakeCard(role, say) {
  const label = say(role === "server" ? "inferredServer" : "inferredClient");
  return h(
    "div",
    { class: "card inferred", role: "group", "aria-label": label, tabindex: -1, "data-item": true },
    h("p", { class: "steps" }, say(role === "server" ? "handshakeIn" : "handshakeOut")),
    h("p", { class: "quiet" }, label),
  );
}

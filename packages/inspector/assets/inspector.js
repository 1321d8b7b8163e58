// @ts-check
// The page: joins the stream of records with what is known and what is shown. What comes is taken in at once, and
// shown once a frame.
import { fromBase64 } from "./bytes.js";
import { byId, h, setText } from "./dom.js";
import { showEmpty } from "./empty-view.js";
import { reasonText } from "./event-view.js";
import { formatAddress, formatSize } from "./format.js";
import { ListView } from "./list-view.js";
import { LISTENERS, Recording } from "./recording.js";
import { catalogs, chooseLanguage, speaker } from "./strings.js";
import { TimelineView } from "./timeline-view.js";

/** @typedef {import("./recording.js").KeptRecord} KeptRecord */
/** @typedef {import("./strings.js").Key} Key */

/** Records that wait at most while the page is paused; then the oldest of them are dropped. */
const MAX_WAITING = 20_000;

const language = chooseLanguage(new URLSearchParams(location.search).get("lang"), navigator.languages);
const say = speaker(language);
const recording = new Recording();

/** What this run of the program is called, and what proves that a command comes from this page. */
let run = "";
let token = "";
let paused = false;
/** @type {KeptRecord[]} */
let waiting = [];
/** @type {number | undefined} */
let selected;
/** @type {import("../src/service.ts").Service[]} */
let services = [];
let framePending = false;

translate();
const list = new ListView(recording, (id) => choose(id, true), say, language);
const timeline = new TimelineView(say, language);
listen();
void loadServices();
connect();
changed();

function translate() {
  document.documentElement.lang = language;
  document.title = `${say("title")} · tcpkit`;
  for (const element of document.querySelectorAll("[data-text]")) {
    const key = element.getAttribute("data-text") ?? "";
    if (key in catalogs.en) element.textContent = say(/** @type {Key} */ (key));
  }
  const other = language === "en" ? "zh-CN" : "en";
  const link = byId("language");
  link.textContent = say("otherLanguage");
  link.setAttribute("href", `?lang=${other}`);
  link.setAttribute("hreflang", other);
  link.setAttribute("lang", other);
}

function listen() {
  byId("pause").addEventListener("click", () => {
    paused = !paused;
    if (!paused) takeIn(waiting.splice(0));
    changed();
  });
  byId("clear").addEventListener("click", () => void clear());
  byId("back").addEventListener("click", () => {
    document.body.dataset["view"] = "list";
    /** @type {HTMLElement | null} */
    const current = byId("list").querySelector("[aria-current]");
    current?.focus();
  });
  for (const input of document.querySelectorAll("input[name=mode]")) {
    input.addEventListener("change", () => {
      if (input instanceof HTMLInputElement && input.checked) {
        timeline.showAs(input.value === "hex" ? "hex" : "text");
      }
    });
  }
}

function connect() {
  const source = new EventSource("/events");
  showLink("linkConnecting", "connecting");
  source.addEventListener("hello", (event) => {
    const hello = JSON.parse(event.data);
    token = hello.token;
    showLink("linkLive", "live");
    if (run !== "" && run !== hello.run) {
      // Another run, or cleared while we were away: what the browser asked to go on from means nothing there.
      forget();
      source.close();
      connect();
    }
    run = hello.run;
  });
  source.addEventListener("records", (event) => {
    const { dropped, records } = JSON.parse(event.data);
    recording.dropped += dropped;
    for (const record of records) if (record.kind === "data") record.bytes = fromBase64(record.bytes);
    if (paused) hold(records);
    else takeIn(records);
    changed();
  });
  source.addEventListener("cleared", (event) => {
    run = JSON.parse(event.data).run;
    forget();
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) showLink("linkRefused", "refused");
    else showLink("linkLost", "lost");
  });
}

/** @param {Key} key @param {string} state */
function showLink(key, state) {
  const element = byId("link-state");
  setText(element, say(key));
  element.dataset["state"] = state;
}

/** @param {readonly KeptRecord[]} records */
function takeIn(records) {
  for (const record of records) recording.add(record);
  // The first connection is shown by itself, so that the page has something to say.
  if (selected !== undefined) return;
  const first = [...recording.conversations.keys()].find((id) => id !== LISTENERS);
  if (first !== undefined) choose(first, false);
}

/** @param {readonly KeptRecord[]} records */
function hold(records) {
  waiting.push(...records);
  const over = waiting.length - MAX_WAITING;
  if (over <= 0) return;
  waiting.splice(0, over);
  recording.dropped += over;
}

function forget() {
  recording.clear();
  waiting = [];
  selected = undefined;
  list.mark(undefined);
  timeline.show(undefined);
  document.body.dataset["view"] = "list";
  changed();
}

async function clear() {
  const answer = await fetch("/clear", { method: "POST", headers: { "x-tcpkit-token": token } }).catch(
    () => undefined,
  );
  if (answer?.ok !== true) showLink("clearFailed", "refused");
}

async function loadServices() {
  const answer = await fetch("/services.json").catch(() => undefined);
  if (answer?.ok !== true) return;
  services = await answer.json();
  changed();
}

/** Shows a connection. @param {number} id @param {boolean} asked The reader asked for it. */
function choose(id, asked) {
  selected = id;
  list.mark(id);
  timeline.show(recording.conversations.get(id));
  if (asked) document.body.dataset["view"] = "detail";
  changed();
  // On a narrow page the list is gone now, and the focus with it.
  if (asked && byId("list").offsetParent === null) byId("detail-heading").focus();
}

/** Shows everything anew with the next frame. */
function changed() {
  if (framePending) return;
  framePending = true;
  requestAnimationFrame(() => {
    framePending = false;
    showAll();
  });
}

function showAll() {
  const pause = byId("pause");
  pause.setAttribute("aria-pressed", String(paused));
  setText(pause, paused ? say("paused", { count: waiting.length }) : say("pause"));
  const dropped = byId("dropped");
  dropped.hidden = recording.dropped === 0;
  dropped.title = say("droppedWhy");
  setText(dropped, say("dropped", { count: recording.dropped }));
  list.update();
  showDetail();
}

function showDetail() {
  const conversation = selected === undefined ? undefined : recording.conversations.get(selected);
  const empty = byId("empty");
  byId("detail").hidden = conversation === undefined;
  if (conversation === undefined) {
    if (empty.hidden || empty.dataset["services"] !== JSON.stringify(services)) {
      empty.dataset["services"] = JSON.stringify(services);
      showEmpty(empty, services, say);
    }
    empty.hidden = false;
    return;
  }
  empty.hidden = true;
  showFacts(conversation);
  timeline.update();
}

/** @param {import("./recording.js").Conversation} conversation */
function showFacts({
  id,
  role,
  service,
  open,
  reason,
  cause,
  remote,
  local,
  state,
  bytes,
  chunks,
  messages,
}) {
  const listeners = role === "listeners";
  const heading = listeners ? say("listeners") : `${say("connectionNumber", { id: `#${id}` })} · ${service}`;
  setText(byId("detail-heading"), heading);
  const status = byId("detail-state");
  const why = cause === "" ? reasonText(reason, say) : `${reasonText(reason, say)} (${cause})`;
  setText(status, listeners ? "" : open ? say("open") : say("closed", { reason: why }));
  status.className = `detail-state ${open ? "is-open" : "is-closed"}`;
  /** @param {"in" | "out"} dir */
  const amount = (dir) =>
    say("amount", { size: formatSize(bytes[dir], language), chunks: chunks[dir], messages: messages[dir] });
  /** @type {[Key, string][]} */
  const facts = listeners
    ? []
    : [
        ["remote", formatAddress(remote)],
        ["local", formatAddress(local)],
        ["received", `→ ${amount("in")}`],
        ["sent", `← ${amount("out")}`],
      ];
  if (state !== "") facts.push(["state", state]);
  const place = byId("facts");
  place.hidden = facts.length === 0;
  while (place.childElementCount < facts.length) place.append(h("div", {}, h("dt"), h("dd")));
  while (place.childElementCount > facts.length) place.lastElementChild?.remove();
  for (const [index, [key, value]] of facts.entries()) {
    const [term, description] = place.children[index]?.children ?? [];
    if (term !== undefined) setText(term, say(key));
    if (description !== undefined) setText(description, value);
  }
}

// @ts-check
// The list of connections, newest first, with a search and filters.
import { byId, ensureTabStop, h, roving, setText } from "./dom.js";
import { formatAddress, formatSize } from "./format.js";
import { LISTENERS } from "./recording.js";

/** @typedef {import("./recording.js").Conversation} Conversation */
/** @typedef {import("./recording.js").Recording} Recording */
/** @typedef {import("./strings.js").Say} Say */

/** Connections listed at most: a search finds the others. */
const MAX_LISTED = 200;

/** One connection in the list. */
class Item {
  #name = h("span", { class: "item-name" });
  #state = h("span", { class: "item-state" });
  #peer = h("span", { class: "item-peer" });
  #amount = h("span", { class: "item-amount" });

  /** @param {Conversation} conversation @param {(id: number) => void} select @param {Say} say @param {string} language */
  constructor(conversation, select, say, language) {
    this.conversation = conversation;
    this.say = say;
    this.language = language;
    this.button = h(
      "button",
      {
        type: "button",
        class: "item",
        tabindex: -1,
        "data-item": true,
        onclick: () => select(conversation.id),
      },
      this.#name,
      this.#state,
      this.#peer,
      this.#amount,
    );
    this.element = h("li", {}, this.button);
    this.update();
  }

  update() {
    const { conversation, say, language } = this;
    const { id, role, service, remote, local, open, reason, bytes, errors } = conversation;
    if (role === "listeners") {
      setText(this.#name, say("listeners"));
      setText(this.#peer, say("listenersAbout"));
      this.button.classList.toggle("failed", errors > 0);
      return;
    }
    setText(this.#name, `#${id} ${role === "client" ? say("clientTo", { service }) : service}`);
    setText(this.#state, open ? say("open") : reason);
    setText(this.#peer, formatAddress(remote ?? local));
    setText(this.#amount, `→ ${formatSize(bytes.in, language)}  ← ${formatSize(bytes.out, language)}`);
    this.#state.className = `item-state ${open ? "is-open" : "is-closed"}`;
    this.button.classList.toggle(
      "failed",
      reason === "reset" || reason === "protocol" || reason === "timeout",
    );
  }
}

export class ListView {
  #list = byId("list");
  #count = byId("list-count");
  #search = /** @type {HTMLInputElement} */ (byId("search"));
  #service = /** @type {HTMLSelectElement} */ (byId("service"));
  #openness = /** @type {HTMLSelectElement} */ (byId("openness"));
  /** @type {Map<number, Item>} */
  #items = new Map();
  #services = new Set();
  /** @type {number | undefined} */
  #selected;

  /**
   * @param {Recording} recording @param {(id: number) => void} select @param {Say} say @param {string} language
   */
  constructor(recording, select, say, language) {
    this.recording = recording;
    this.select = select;
    this.say = say;
    this.language = language;
    roving(this.#list, "[data-item]");
    this.#search.placeholder = say("searchHint");
    this.#service.append(h("option", { value: "" }, say("anyService")));
    for (const filter of [this.#search, this.#service, this.#openness]) {
      filter.addEventListener("input", () => this.update());
    }
  }

  /** Marks the connection that is shown. @param {number | undefined} id */
  mark(id) {
    this.#selected = id;
    for (const [other, { button }] of this.#items) {
      if (other === id) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  /** Shows what is known now. */
  update() {
    const all = [...this.recording.conversations.values()];
    this.#addServices(all);
    const matching = all.filter((conversation) => this.#matches(conversation));
    // Newest first, and the listeners before all.
    matching.sort((a, b) => (a.id === LISTENERS ? -1 : b.id === LISTENERS ? 1 : b.id - a.id));
    const listed = matching.slice(0, MAX_LISTED);
    const ids = new Set(listed.map(({ id }) => id));
    for (const [id, item] of this.#items) {
      if (ids.has(id) && this.recording.conversations.get(id) === item.conversation) continue;
      item.element.remove();
      this.#items.delete(id);
    }
    /** @type {Element | null} */
    let place = this.#list.firstElementChild;
    for (const conversation of listed) {
      const item = this.#item(conversation);
      if (item.element === place) place = place.nextElementSibling;
      else this.#list.insertBefore(item.element, place);
    }
    ensureTabStop(this.#list, "[data-item]");
    const connections = all.length - (this.recording.conversations.has(LISTENERS) ? 1 : 0);
    const found = matching.length - (matching[0]?.id === LISTENERS ? 1 : 0);
    setText(this.#count, this.#countText(found, connections));
  }

  /** @param {Conversation} conversation */
  #item(conversation) {
    let item = this.#items.get(conversation.id);
    if (item === undefined) {
      item = new Item(conversation, this.select, this.say, this.language);
      if (conversation.id === this.#selected) item.button.setAttribute("aria-current", "true");
      this.#items.set(conversation.id, item);
    } else {
      item.update();
    }
    return item;
  }

  /** @param {Conversation} conversation */
  #matches(conversation) {
    const words = this.#search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const service = this.#service.value;
    const openness = this.#openness.value;
    if (conversation.id === LISTENERS) return words.length === 0 && service === "" && openness === "all";
    if (service !== "" && conversation.service !== service) return false;
    if (openness !== "all" && conversation.open !== (openness === "open")) return false;
    const { haystack } = conversation;
    return words.every((word) => haystack.includes(word));
  }

  /** @param {readonly Conversation[]} all */
  #addServices(all) {
    for (const { id, service } of all) {
      if (id === LISTENERS || this.#services.has(service)) continue;
      this.#services.add(service);
      this.#service.append(h("option", { value: service }, service));
    }
  }

  /** @param {number} found @param {number} total */
  #countText(found, total) {
    if (total === 0) return this.say("noneYet");
    if (found === 0) return this.say("noneFound");
    if (found > MAX_LISTED) return this.say("listMore", { count: MAX_LISTED });
    return this.say("listed", { count: found, total });
  }
}

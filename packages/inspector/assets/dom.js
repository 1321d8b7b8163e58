// @ts-check
// Makes elements. Text only ever becomes text: what came over the wire is never read as markup.

/** @typedef {Node | string | false | undefined} Child */

/**
 * An element with attributes, listeners (names that begin with `on`) and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | number | undefined | ((event: any) => void)>} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== false && child !== undefined) element.append(child);
  return element;
}

/** An element of the page by its id. @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element "${id}"`);
  return element;
}

/** Sets text only where it differs, so that nothing is laid out again for nothing. @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * One tab stop for many items: arrow keys go from one to the next, Home and End to the ends.
 * @param {HTMLElement} container
 * @param {string} selector The items.
 */
export function roving(container, selector) {
  /** @returns {HTMLElement[]} */
  const items = () => [...container.querySelectorAll(selector)].filter((item) => item instanceof HTMLElement);
  container.addEventListener("focusin", (event) => {
    const item = event.target instanceof Element ? event.target.closest(selector) : null;
    if (!(item instanceof HTMLElement)) return;
    for (const other of container.querySelectorAll(`${selector}[tabindex="0"]`)) {
      if (other !== item) other.setAttribute("tabindex", "-1");
    }
    item.tabIndex = 0;
  });
  container.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const item = event.target instanceof Element ? event.target.closest(selector) : null;
    if (!(item instanceof HTMLElement)) return;
    const all = items();
    const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(item) + step))];
    event.preventDefault();
    next?.focus();
  });
}

/** Makes sure that one item can be reached by Tab. @param {HTMLElement} container @param {string} selector */
export function ensureTabStop(container, selector) {
  if (container.querySelector(`${selector}[tabindex="0"]`) !== null) return;
  container.querySelector(selector)?.setAttribute("tabindex", "0");
}

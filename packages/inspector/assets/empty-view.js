// @ts-check
// What stands in place of a timeline while there is none: what this page is, and what to try.
import { h } from "./dom.js";

/** @typedef {import("../src/service.ts").Service} Service */
/** @typedef {import("./strings.js").Say} Say */

/** @param {HTMLElement} place @param {readonly Service[]} services @param {Say} say */
export function showEmpty(place, services, say) {
  const commands = services.map((service) => command(service, say));
  place.replaceChildren(
    h("h2", {}, say("emptyTitle")),
    h("p", {}, say("emptyText")),
    h("p", { class: "quiet" }, say(commands.length === 0 ? "emptyNothing" : "emptyTry")),
    (commands.length > 0 && h("ul", { class: "commands" }, ...commands)) || "",
  );
}

/** @param {Service} service @param {Say} say */
function command({ name, host, port, hint }, say) {
  const text = hint ?? `nc ${host} ${port}`;
  const copy = h(
    "button",
    { type: "button", class: "button", "aria-label": `${say("copy")}: ${text}` },
    say("copy"),
  );
  copy.addEventListener("click", () => {
    void navigator.clipboard.writeText(text).then(() => {
      copy.textContent = say("copied");
    });
  });
  return h("li", {}, h("span", { class: "command-name" }, name), h("code", {}, text), copy);
}

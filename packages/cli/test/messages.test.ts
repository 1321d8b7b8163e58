import { describe, expect, it } from "vitest";
import { commandNames, commands } from "../src/commands.ts";
import { help } from "../src/help.ts";
import { catalogs, languages, translator } from "../src/messages/index.ts";
import type { MessageKey } from "../src/messages/index.ts";

const keys = Object.keys(catalogs.en) as MessageKey[];

describe.each(languages)("the catalog %s", (language) => {
  const catalog = catalogs[language];

  it("has the keys of the English one, and no others", () => {
    expect(Object.keys(catalog).toSorted()).toEqual(keys.toSorted());
  });

  it.each(keys)("%s has words, and the placeholders of the English message", (key) => {
    expect(catalog[key].trim()).not.toBe("");
    expect(placeholders(catalog[key])).toEqual(placeholders(catalogs.en[key]));
  });

  it("is used for help: every command with its flags", () => {
    const say = translator(language);
    for (const name of commandNames) {
      expect(help(undefined, say)).toContain(say(commands[name].about));
      for (const flag of commands[name].flags) expect(help(name, say)).toContain(`--${flag}`);
    }
  });
});

it("the catalogs are not the same words", () => {
  const same = keys.filter((key) => catalogs.en[key] === catalogs["zh-CN"][key]);
  // The null sender is protocol.
  expect(same).toEqual(["mail.nullSender"]);
});

it("a value that looks like a placeholder or a pattern is put in as it is", () => {
  const say = translator("en");
  expect(say("error.missing-value", { flag: "{flag} $& $1" })).toBe("{flag} $& $1 needs a value.");
});

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).toSorted();
}

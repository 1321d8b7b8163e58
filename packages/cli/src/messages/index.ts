// The catalogs of everything this program says to a person. It knows wording and languages, nothing else.
// What is protocol or command (names, URLs, flags) is never translated.
import { en } from "./en.ts";
import { zhCN } from "./zh-cn.ts";

export type MessageKey = keyof typeof en;
/** What stands in the `{braces}` of a message. */
export type Parameters = Readonly<Record<string, string | number>>;
/** Gives the words for a key in one language. */
export type Translate = (key: MessageKey, parameters?: Parameters) => string;

export const languages = ["en", "zh-CN"] as const;
export type Language = (typeof languages)[number];

/** All catalogs. The type makes them have the same keys; a test compares their placeholders. */
export const catalogs: Readonly<Record<Language, Readonly<Record<MessageKey, string>>>> = {
  en,
  "zh-CN": zhCN,
};

export function isLanguage(text: string): text is Language {
  return (languages as readonly string[]).includes(text);
}

export function translator(language: Language): Translate {
  const catalog = catalogs[language];
  return (key, parameters = {}) =>
    catalog[key].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

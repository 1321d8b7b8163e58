// A round of small messages, from bytes to files that are safe, while the thread waits. It knows no threads.
//
// Content first, then the journal, then the names: no name ever stands for a message that is not safe. A message that comes
// alone, as most do on a quiet server, needs no journal: its file is made to last at once.
import { fsyncSync } from "node:fs";
import type { JournalRecord } from "./journal-format.ts";
import type { Journal } from "./journal.ts";
import { checkFolderSync } from "./store-disk.ts";
import type { Folder } from "./store-disk.ts";
import { MessageFileSync } from "./store-file.ts";

/** Messages that are kept together. */
export interface Round {
  readonly ids: readonly string[];
  /** Of each message's content, in bytes. */
  readonly lengths: readonly number[];
  /** All content, one behind the other. */
  readonly bytes: Uint8Array;
}

/**
 * Keeps each message as a file of the folder, and gives for each one `undefined`, or why it is not kept: then nothing is left of
 * it, and the others are kept all the same.
 */
export function keepRound(folder: Folder, journal: Journal, round: Round): unknown[] {
  try {
    checkFolderSync(folder);
  } catch (error) {
    return round.ids.map(() => error);
  }
  const alone = round.ids.length === 1 && !journal.isOpen;
  return alone ? keepAlone(folder, round) : keepTogether(folder, journal, round);
}

/** Makes the file last, and its name. */
function keepAlone(folder: Folder, round: Round): unknown[] {
  return messagesOf(folder, round).map((message) => {
    message.attempt((file) => file.write(message.content, "to last"));
    message.attempt((file) => file.finish());
    message.attempt(() => fsyncSync(folder.file));
    return message.failure;
  });
}

/** Makes all of them safe by the journal. */
export function keepTogether(folder: Folder, journal: Journal, round: Round): unknown[] {
  const messages = messagesOf(folder, round);
  for (const message of messages) message.attempt((file) => file.write(message.content));
  const written = messages.filter((message) => message.failure === undefined);
  try {
    if (written.length > 0) journal.append(written);
  } catch (error) {
    for (const message of written) message.fail(error);
  }
  for (const message of written) message.attempt((file) => file.finish());
  return messages.map(({ failure }) => failure);
}

function messagesOf(folder: Folder, { ids, lengths, bytes }: Round): SmallMessage[] {
  let at = 0;
  return ids.map((id, index) => {
    const content = bytes.subarray(at, (at += lengths[index] ?? 0));
    return new SmallMessage(new MessageFileSync(folder, id), id, content);
  });
}

/** A message of a round, and what became of it. */
class SmallMessage implements JournalRecord {
  readonly id: string;
  readonly content: Uint8Array;
  readonly #file: MessageFileSync;
  #failure: unknown;

  constructor(file: MessageFileSync, id: string, content: Uint8Array) {
    this.#file = file;
    this.id = id;
    this.content = content;
  }

  /** Why it is not kept. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Does a step, unless one before has failed. */
  attempt(step: (file: MessageFileSync) => void): void {
    if (this.#failure !== undefined) return;
    try {
      step(this.#file);
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.#failure = error;
    try {
      this.#file.remove();
    } catch {
      // Its sender is told that it is not kept, and tries again: then it is there twice, which is better than never.
    }
  }
}

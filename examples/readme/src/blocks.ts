// Fenced code blocks out of Markdown. It knows fences, not what is in them.

/** One fenced block: its language, its text, and the line of the file on which its text begins. */
export interface Block {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

/** The fenced blocks of a Markdown text, in order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; lines: string[]; line: number } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (open === undefined) {
      const language = /^```(\w+)$/.exec(line)?.[1];
      if (language !== undefined) open = { language, lines: [], line: index + 2 };
    } else if (line === "```") {
      blocks.push({ language: open.language, text: `${open.lines.join("\n")}\n`, line: open.line });
      open = undefined;
    } else {
      open.lines.push(line);
    }
  }
  return blocks;
}

/** What a program says that it prints: the comment behind each line that prints, in order. */
export function promisedOutput(program: string): string[] {
  return program.split("\n").flatMap((line) => {
    const promise = /(?:console\.log|process\.stdout\.write)\(.*\/\/ (.+)$/.exec(line)?.[1];
    return promise === undefined ? [] : [promise];
  });
}

/** A command of a `console` block, and what it prints. */
export interface Step {
  readonly command: string;
  readonly output: string;
}

/** The commands of a transcript: lines that begin with `$ `, each followed by what it prints. */
export function stepsOf(transcript: string): Step[] {
  const steps: { command: string; output: string }[] = [];
  for (const line of transcript.trimEnd().split("\n")) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: "" });
    else if (last !== undefined) last.output += `${line}\n`;
  }
  return steps;
}

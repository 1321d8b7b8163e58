// The table of state.ts as a diagram in Mermaid's words, which GitHub draws. Nothing here knows what the states mean.
import type { Move, StateName, Transitions } from "../src/state.ts";

/** Moves that are not called as their command is, or are no command. */
const LABELS: Partial<Record<Move, string>> = {
  greeting: "our 220",
  message: "DATA",
  end: "end of content",
  secured: "TLS begins",
  "auth-response": "a response",
  authenticated: "AUTH ends",
};

interface Cell {
  readonly from: StateName;
  readonly move: Move;
  readonly to: StateName;
}

/** A code block with the diagram, and sentences for what is left out of it so that it can be read. */
export function stateDiagram(transitions: Transitions): string[] {
  const cells = cellsOf(transitions);
  const states = Object.keys(transitions);
  const lines = ["stateDiagram-v2"];
  const sentences: string[] = [];
  const drawn: Cell[] = [];
  for (const [first, ...others] of alike(cells)) {
    const own = cells.filter(({ move }) => move === first);
    const from = own.map((cell) => `\`${cell.from}\``).join(", ");
    if (own.length > 1 && own.every((cell) => cell.to === cell.from)) {
      sentences.push(
        `${[first, ...others].map(label).join(", ")}: not drawn, they change nothing. From ${from}.`,
      );
      continue;
    }
    drawn.push(...own);
    if (others.length > 0) sentences.push(`${label(first)} stands for ${others.map(label).join(", ")} too.`);
  }
  for (const state of states) if (!cells.some(({ to }) => to === state)) lines.push(`  [*] --> ${state}`);
  for (const [arrow, own] of Map.groupBy(drawn, ({ from, to }) => `${from} --> ${to}`)) {
    lines.push(`  ${arrow}: ${own.map(({ move }) => label(move)).join(", ")}`);
  }
  for (const state of states) if (!cells.some(({ from }) => from === state)) lines.push(`  ${state} --> [*]`);
  return [`\`\`\`mermaid\n${lines.join("\n")}\n\`\`\``, sentences.map((one) => `- ${one}`).join("\n")];
}

function cellsOf(transitions: Transitions): Cell[] {
  return Object.entries(transitions).flatMap(([from, row]) =>
    Object.entries(row).map(([move, to]) => ({ from: from as StateName, move: move as Move, to })),
  );
}

/** Moves that come in the same states, and lead from each to the same, together. */
function alike(cells: readonly Cell[]): (readonly [Move, ...Move[]])[] {
  const columns = [...Map.groupBy(cells, ({ move }) => move)].map(([move, own]) => ({
    move,
    column: own.map(({ from, to }) => `${from} ${to}`).join(),
  }));
  return [...Map.groupBy(columns, ({ column }) => column).values()].map(
    (group) => group.map(({ move }) => move) as [Move, ...Move[]],
  );
}

function label(move: Move): string {
  return LABELS[move] ?? move.toUpperCase();
}

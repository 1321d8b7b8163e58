// On what was measured: a figure without this line says nothing.
import { execFileSync } from "node:child_process";
import { cpus, release, type } from "node:os";
import { pinning } from "./pin.ts";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Operating system and kernel. */
  readonly kernel: string;
  /** The version of the Node that ran the servers. */
  readonly node: string;
  /** Whether servers and load had a core each. */
  readonly pinned: boolean;
}

/** Describes this machine, and the Node at `node`. */
export function machine(node: string): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    kernel: `${type()} ${release()}`,
    node: execFileSync(node, ["-p", "process.version"], { encoding: "utf8" }).trim(),
    pinned: pinning,
  };
}

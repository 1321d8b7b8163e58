// Which run of the system this is, and which process of it. Linux only: elsewhere nobody can tell whether the system has gone
// down since.
import { readFile, readlink } from "node:fs/promises";
import { hasCode } from "./store-disk.ts";

/** Who wrote a journal. */
export interface Origin {
  /** Linux's boot id, the same in all processes and containers until the kernel starts anew. */
  readonly boot: string;
  /** A process of that boot, as `<pid>-<start>-<namespace>`: the time it started, and the pid namespace that counts it. */
  readonly process: string;
}

/** This process of this boot; `undefined` where nobody knows. */
export async function thisOrigin(): Promise<Origin | undefined> {
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "latin1")).trim();
    const name = `${process.pid}-${await startOf(process.pid)}-${await namespace()}`;
    return /^[0-9a-f-]{36} \d+-\d+-\d+$/.test(`${boot} ${name}`) ? { boot, process: name } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process of this boot has ended for certain: in another pid namespace nobody can tell. */
export async function isOver(name: string): Promise<boolean> {
  const [pid, start, itsNamespace] = name.split("-");
  try {
    if (itsNamespace !== (await namespace())) return false;
    // Asked before /proc, which may hide other users' processes.
    process.kill(Number(pid), 0);
    return (await startOf(Number(pid))) !== start;
  } catch (error) {
    return hasCode(error, "ESRCH");
  }
}

/** When a process started, in ticks since the boot; `undefined` when it is dead, and its parent has not noticed. */
async function startOf(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${pid}/stat`, "latin1");
  // proc(5): "pid (name) state …"; a name may hold anything, brackets too. The start is field 22.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** The number in "pid:[4026531836]", which no two pid namespaces have at the same time. */
async function namespace(): Promise<string> {
  return (await readlink("/proc/self/ns/pid")).replaceAll(/\D/g, "");
}

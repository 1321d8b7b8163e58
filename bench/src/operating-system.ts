// What the operating system says of a process. Linux has it in /proc; elsewhere the answer is `undefined`.
import { readFileSync } from "node:fs";

/** What a process has used since it started. */
export interface Usage {
  /** CPU time, in user and system mode together, in microseconds. Counted in steps of 10 ms. */
  readonly cpuMicroseconds: number;
  /** The most memory it ever had resident, in MiB. */
  readonly peakMemory: number;
}

/** Ticks a second in /proc/PID/stat: USER_HZ, which Linux fixes at 100 on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What a process has used so far; `undefined` where the system does not say, or the process is gone. */
export function usageOf(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    // proc(5): fields are counted from 1; the second is a name in brackets that may itself hold spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[14 - 3]) + Number(fields[15 - 3]);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return { cpuMicroseconds: (ticks / TICKS_PER_SECOND) * 1e6, peakMemory: Number(peak) / 1024 };
  } catch {
    return undefined;
  }
}

/** How many file descriptors a process like this one may have open; `Infinity` where the system does not say. */
export function descriptorLimit(): number {
  try {
    // Node raises its own limit as far as it may when it starts, and so do the processes it starts.
    const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.[1];
    return hard === undefined ? Infinity : Number(hard);
  } catch {
    return Infinity;
  }
}

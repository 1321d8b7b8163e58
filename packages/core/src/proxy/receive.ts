// Reads the header off an accepted socket, before anybody else does. It knows sockets and the decoder, no listener.
import type { Socket } from "node:net";
import { ByteQueue } from "../bytes.ts";
import { Deadline } from "../deadline.ts";
import type { DeadlineTimer } from "../deadline.ts";
import { TcpError } from "../errors.ts";
import { ProxyHeaderDecoder } from "./decoder.ts";
import type { ProxyHeader } from "./header.ts";

/**
 * The header of a paused socket. Afterwards it is paused again, and what came behind the header is unread in it.
 * @throws TcpError `bad-proxy-header`, `timeout` (after `milliseconds`), `incomplete`, `reset` or `closed`.
 */
export function receiveProxyHeader(
  socket: Socket,
  milliseconds: number,
  timer: DeadlineTimer,
): Promise<ProxyHeader> {
  const queue = new ByteQueue();
  const decoder = new ProxyHeaderDecoder(queue);
  return new Promise((resolve, reject) => {
    const deadline = new Deadline(timer, () =>
      fail(new TcpError("timeout", `no PROXY header within ${milliseconds} ms`, { blame: "remote" })),
    );
    const onData = (chunk: Buffer): void => {
      queue.push(chunk);
      try {
        const header = decoder.take();
        if (header === undefined) return;
        stop();
        const rest = queue.takeSome();
        if (rest !== undefined) socket.unshift(rest);
        resolve(header);
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = (): void =>
      fail(
        new TcpError("incomplete", "the peer ended before its PROXY header was whole", { blame: "remote" }),
      );
    const onError = (cause: Error): void =>
      fail(new TcpError("reset", `no PROXY header: ${cause.message}`, { blame: "remote", cause }));
    const onClose = (): void => fail(new TcpError("closed", "the connection closed before its PROXY header"));
    const stop = (): void => {
      socket.pause();
      socket.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
      deadline[Symbol.dispose]();
    };
    const fail = (error: unknown): void => {
      stop();
      // oxlint-disable-next-line prefer-promise-reject-errors -- it is a TcpError, or a bug that must be seen
      reject(error);
    };
    socket.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
    deadline.set(milliseconds);
    socket.resume();
  });
}

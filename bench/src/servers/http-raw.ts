// The ceiling of documented Node: what node:net can do at most with `data` events. It is no server to use.
import { ConstantAnswer } from "./constant-answer.ts";
import { listenRaw } from "./listen.ts";

listenRaw((socket) => {
  const constant = new ConstantAnswer();
  socket.on("data", (chunk) => {
    const answer = constant.answer(chunk, chunk.length);
    if (answer !== "") socket.write(answer, "latin1");
  });
});

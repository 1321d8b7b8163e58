// Which message part may follow which. One table; the session moves by it and the diagrams come out of it.
// It knows no bytes and no sockets.
//
// An exchange has two sides: what the peer sends (a request, if we are the server) and what we send. Both sides
// go through the same states. A side starts `idle`. A head that is complete in itself leads straight to `done`;
// one that a body follows leads to `body` until the body's end. A server may start its side while the request's
// body is still arriving. When both sides are `done` and the connection persists, both become `idle` again
// (`next`); otherwise they are `closed`, and so is a side on which framing was lost (RFC 9112 §9.3, §9.6).
// A complete request may also end HTTP here: then another protocol has the connection, and both sides are `switched`
// (RFC 9110 §7.8, §9.3.6).
//
// Where requests are pipelined the states are those of the exchange in hand: its request is the first that has no complete
// reply. Those sent behind it take their steps when it is over (RFC 9112 §9.3.2).

export type SideState = "idle" | "body" | "done" | "switched" | "closed";
export type SideStep = "interim" | "message" | "head" | "data" | "end" | "next" | "switch" | "close";

/** The states of one side of an exchange, and where each step leads. A step that is absent is not allowed. */
export const SIDE: Readonly<Record<SideState, Readonly<Partial<Record<SideStep, SideState>>>>> = {
  /** Nothing of this message yet. An interim reply (1xx) leaves it there. */
  idle: { interim: "idle", message: "done", head: "body", switch: "switched", close: "closed" },
  /** The head has passed, the body is under way. */
  body: { data: "body", end: "done", close: "closed" },
  /** The message is complete; the other side's may not be. */
  done: { next: "idle", switch: "switched", close: "closed" },
  /** The connection speaks another protocol. */
  switched: {},
  /** Nothing more on this side. */
  closed: {},
};

/** A state with where each step leads, as a session holds it: a step is one property read, not a look-up by name. */
export type SideNode = { readonly name: SideState } & { readonly [Step in SideStep]: SideNode | undefined };

/** The table again, its names replaced by what they stand for. */
export const SIDE_NODES: Readonly<Record<SideState, SideNode>> = link();

function link(): Record<SideState, SideNode> {
  const blank = (name: SideState): { -readonly [Key in keyof SideNode]: SideNode[Key] } => ({
    name,
    interim: undefined,
    message: undefined,
    head: undefined,
    data: undefined,
    end: undefined,
    next: undefined,
    switch: undefined,
    close: undefined,
  });
  const nodes = {
    idle: blank("idle"),
    body: blank("body"),
    done: blank("done"),
    switched: blank("switched"),
    closed: blank("closed"),
  };
  for (const node of Object.values(nodes)) {
    for (const [step, to] of Object.entries(SIDE[node.name])) node[step as SideStep] = nodes[to];
  }
  return nodes;
}

// The public face of HTTP-lite, in reading order: serve, ask, and the engine beneath.
export { serveHttp } from "./server.ts";
export type { HttpServerOptions } from "./server.ts";
export type { HttpHandler, HttpResponse, HttpResult } from "./exchange.ts";
export type { HttpRequest } from "./request.ts";
export { files } from "./files.ts";
export type { FilesOptions } from "./files.ts";
export { eventStream, formatEvent, lastEventId } from "./sse.ts";
export type { EventStreamOptions, ServerSentEvent } from "./sse.ts";
export { request } from "./client.ts";
export type { HttpClientResponse, HttpRequestOptions } from "./client.ts";
export { HeaderMap } from "./fields.ts";
export { HttpError } from "./errors.ts";
export type { HttpErrorCode, HttpErrorOptions } from "./errors.ts";
export { DEFAULT_DEADLINES, DEFAULT_LIMITS } from "./limits.ts";
export type { HttpDeadlines, HttpLimits } from "./limits.ts";
export { DEFAULT_METHODS } from "./methods.ts";
export { httpProtocol } from "./protocol.ts";
export { HttpSession } from "./session.ts";
export type { HttpSessionOptions } from "./session.ts";
export { RequestEvent } from "./messages.ts";
export type {
  DataEvent,
  DataReply,
  EndEvent,
  EndReply,
  ErrorEvent,
  HeadersInit,
  HttpEvent,
  HttpReply,
  InformationalEvent,
  InformationalReply,
  RequestReply,
  ResponseEvent,
  ResponseReply,
  Version,
} from "./messages.ts";
export type { Framing } from "./framing.ts";
export { describeEvent, describeReply } from "./describe.ts";
export { SIDE } from "./state.ts";
export type { SideState, SideStep } from "./state.ts";

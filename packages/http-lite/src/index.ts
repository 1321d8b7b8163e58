// The public face of HTTP-lite, in reading order: serve, ask, and the engine beneath.
export { serveHttp } from "./server.ts";
export type { HttpServerOptions } from "./server.ts";
export type { HttpHandler, HttpResponse, HttpResult } from "./handler.ts";
export type { HttpRequest } from "./request.ts";
export { nodeRequest } from "./upgrade.ts";
export type { NodeRequest, TakeOver } from "./upgrade.ts";
export { fetchHandler } from "./fetch.ts";
export type { FetchApplication, FetchOptions } from "./fetch.ts";
export { files } from "./files.ts";
export type { FilesOptions } from "./files.ts";
export { eventStream, formatEvent, lastEventId } from "./sse.ts";
export type { EventStreamOptions, ServerSentEvent } from "./sse.ts";
export { HttpClient, request } from "./client.ts";
export type {
  HttpClientOptions,
  HttpClientRequest,
  HttpConnectRequest,
  HttpRequestOptions,
  HttpUpgradeRequest,
} from "./client.ts";
export type { RequestBody, RequestTrailers } from "./client/message.ts";
export type { HttpClientResponse } from "./client/reply.ts";
export type { HttpRefused, HttpSwitched } from "./client/switched.ts";
export { HeaderMap } from "./fields.ts";
export { HttpError } from "./errors.ts";
export type { HttpDeadlineName, HttpErrorCode, HttpErrorOptions } from "./errors.ts";
export { DEFAULT_CLIENT_DEADLINES, DEFAULT_DEADLINES, DEFAULT_LIMITS } from "./limits.ts";
export type { HttpClientDeadlines, HttpDeadlines, HttpLimits } from "./limits.ts";
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
  SwitchReply,
  Version,
} from "./messages.ts";
export type { Framing } from "./framing.ts";
export { describeEvent, describeReply } from "./describe.ts";
export { SIDE } from "./state.ts";
export type { SideState, SideStep } from "./state.ts";

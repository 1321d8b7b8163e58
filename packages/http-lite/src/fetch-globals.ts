// What reaches beyond this package: the places where the platform's own Request and Response are replaced, by proxies through
// which everything else about them stays as it is: statics, subclasses, `instanceof`. See `fetchHandler`.
import { LazyRequest, passForRequests } from "./fetch-request.ts";
import { passForResponses, TextResponse } from "./fetch-text-response.ts";

let requests = false;
let responses = false;

/**
 * `new Request(request)` and `fetch(request)` look into private fields, of which a LazyRequest has none: both are given the
 * platform's own Request in its place.
 */
export function teachRequests(): void {
  if (requests) return;
  requests = true;
  passForRequests(globalThis.Request);
  const request = new Proxy(globalThis.Request, {
    construct: (native, [input, ...rest], target) =>
      Reflect.construct(native, [LazyRequest.nativeOf(input), ...rest], target) as Request,
  });
  const fetch = new Proxy(globalThis.fetch, {
    apply: (native, self, [input, ...rest]) =>
      Reflect.apply(native, self, [LazyRequest.nativeOf(input), ...rest]),
  });
  Object.assign(globalThis, { Request: request, fetch });
}

/** `new Response("text")` holds a text, and no stream. Other bodies, and subclasses, are the platform's own. */
export function teachResponses(): void {
  if (responses) return;
  responses = true;
  passForResponses(globalThis.Response);
  const response: typeof Response = new Proxy(globalThis.Response, {
    construct: (native, args, target) =>
      (target === response ? TextResponse.of(args[0], args[1] as ResponseInit | undefined) : undefined) ??
      (Reflect.construct(native, args, target) as Response),
  });
  Object.assign(globalThis, { Response: response });
}

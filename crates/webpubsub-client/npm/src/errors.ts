import { isReachable } from "./reach.js";
import type { AbortSignalLike } from "./models.js";

/** Why the service did not do an operation. */
export interface SendMessageErrorDetail {
  /** A word for programs, such as `Forbidden`. */
  name: string;
  /** A sentence for people. */
  message: string;
}

export interface SendMessageErrorOptions {
  ackId?: number;
  errorDetail?: SendMessageErrorDetail;
}

/** An operation was not done, or is not known to be done. */
export class SendMessageError extends Error {
  override name = "SendMessageError";
  /** The ack id of the last try; none for `fireAndForget`. */
  ackId?: number;
  /** What the service said, if it was the service that refused. */
  errorDetail?: SendMessageErrorDetail;

  constructor(message: string, options: SendMessageErrorOptions) {
    super(message);
    this.ackId = options.ackId;
    this.errorDetail = options.errorDetail;
  }
}

/** Why an invocation was refused. */
export interface InvokeResponseError {
  /** A word for programs, such as `InternalServerError`. */
  name: string;
  /** A sentence for people. */
  message: string;
}

export interface InvocationErrorOptions {
  invocationId: string;
  errorDetail?: InvokeResponseError;
}

/** An invocation has no answer. It may have been carried out, unless the service refused it. */
export class InvocationError extends Error {
  override name = "InvocationError";
  invocationId: string;
  /** What the service said, if it was the service that refused. */
  errorDetail?: InvokeResponseError;

  constructor(message: string, options: InvocationErrorOptions) {
    super(message);
    this.invocationId = options.invocationId;
    this.errorDetail = options.errorDetail;
  }
}

/**
 * What kept a socket from opening: the URL is none of a WebSocket; the service refused it, for its
 * token or its hub; or nobody answered.
 */
export type ConnectProblem = "invalid-url" | "refused" | "unreachable";

export interface ConnectErrorOptions {
  problem: ConnectProblem;
  status?: number;
  cause?: unknown;
}

/** `start()` could not open a socket. */
export class ConnectError extends Error {
  override name = "ConnectError";
  problem: ConnectProblem;
  /** The HTTP status of a refusal, where the platform tells. Browsers do not. */
  status?: number;

  constructor(message: string, options: ConnectErrorOptions) {
    super(message, { cause: options.cause });
    this.problem = options.problem;
    this.status = options.status;
  }
}

export function sendError(message: string, ackId?: number, name?: string, detail?: string): SendMessageError {
  const errorDetail = name === undefined ? undefined : { name, message: detail ?? "" };
  return new SendMessageError(message, { ackId, errorDetail });
}

export function invocationError(message: string, invocationId: string, name?: string, detail?: string): InvocationError {
  const errorDetail = name === undefined ? undefined : { name, message: detail ?? "" };
  return new InvocationError(message, { invocationId, errorDetail });
}

export function abortError(signal?: AbortSignalLike): unknown {
  return signal?.reason ?? Object.assign(new Error("The start was aborted."), { name: "AbortError" });
}

/** The words of `start_problem` in `../../src/error.rs`. */
export type StartProblem = "stopping" | "not-stopped" | "stopped" | "aborted" | "credential" | "closed" | ConnectProblem;

/** What a failed start rejects with. Tokens stay out of its message. */
export async function startError(
  problem: StartProblem,
  url: string,
  status: number | undefined,
  cause: unknown,
  signal: AbortSignalLike | undefined,
): Promise<unknown> {
  switch (problem) {
    case "stopping":
      return new Error("Can't start a client during stopping");
    case "not-stopped":
      return new Error("Client can be only started when it's Stopped");
    case "stopped":
      return new Error("The client is stopped");
    case "aborted":
      return abortError(signal);
    case "credential":
      return cause;
    case "closed":
      // The platform does not tell a refusal from a closed port; another request may.
      problem = (await isReachable(url)) ? "refused" : "unreachable";
      status = undefined;
  }
  const what = {
    "invalid-url": "is not the URL of a WebSocket.",
    refused:
      `refused the connection${status ? ` with HTTP ${status}` : ""}. ` +
      "Is the access token there, for this hub, and not expired?",
    unreachable: "cannot be reached.",
  }[problem];
  return new ConnectError(`Failed to start WebSocket: ${url.split("?")[0]} ${what}`, { problem, status, cause });
}

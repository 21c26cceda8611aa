// What a client throws and rejects with: the classes, and the words for what the core counts.
import { isReachable } from "./reach.js";
import type { AckMessageError, InvokeResponseError } from "./messages.js";
import type { AbortSignalLike } from "./models.js";

/** Why the service did not do an operation. */
export type SendMessageErrorDetail = AckMessageError;

export interface SendMessageErrorOptions {
  ackId?: number;
  errorDetail?: SendMessageErrorDetail;
  cause?: unknown;
}

/** An operation was not done, or is not known to be done. */
export class SendMessageError extends Error {
  /** The ack id of the last try; none for `fireAndForget`. */
  ackId?: number;
  /** What the service said, if it was the service that refused. */
  errorDetail?: SendMessageErrorDetail;

  constructor(message: string, options: SendMessageErrorOptions = {}) {
    super(message, options);
    this.name = "SendMessageError";
    this.ackId = options.ackId;
    this.errorDetail = options.errorDetail;
  }
}

export interface InvocationErrorOptions {
  invocationId: string;
  errorDetail?: InvokeResponseError;
  cause?: unknown;
}

/** An invocation has no answer. It may have been carried out, unless the service refused it. */
export class InvocationError extends Error {
  invocationId: string;
  /** What the service said, if it was the service that refused. */
  errorDetail?: InvokeResponseError;

  constructor(message: string, options: InvocationErrorOptions) {
    super(message, options);
    this.name = "InvocationError";
    this.invocationId = options.invocationId;
    this.errorDetail = options.errorDetail;
  }
}

/**
 * What kept a socket from opening: the URL is none of a WebSocket; the service refused it, for its
 * token or its hub; or no server answered.
 */
export type ConnectProblem = "invalid-url" | "refused" | "unreachable";

export interface ConnectErrorOptions {
  problem: ConnectProblem;
  status?: number;
  detail?: string;
  cause?: unknown;
}

/** `start()` could not open a socket. */
export class ConnectError extends Error {
  problem: ConnectProblem;
  /** The HTTP status of a refusal, where the platform reports it. Browsers do not. */
  status?: number;
  /** The service's own words in a refusal, where the platform reports it. Browsers do not. */
  detail?: string;

  constructor(message: string, options: ConnectErrorOptions) {
    super(message, options);
    this.problem = options.problem;
    this.status = options.status;
    this.detail = options.detail;
  }
}

/** Has a class, and what stacks say of its errors, keep its name, whatever a bundler makes of that. */
export function named(type: { prototype: object }, name: string): void {
  for (const target of [type, type.prototype]) Object.defineProperty(target, "name", { value: name, writable: true });
}

named(SendMessageError, "SendMessageError");
named(InvocationError, "InvocationError");
named(ConnectError, "ConnectError");

const NOT_CONNECTED = "The connection is not connected.";

/** What `of_send` in `../../src/problem.rs` counts. */
const sendProblems = [
  "Failed to send message.",
  "Connection is disconnected before receive ack from the service",
  NOT_CONNECTED,
  "Cancelled by abortSignal",
] as const;

/** What `of_invocation` counts. */
const invocationProblems = [
  "Invocation failed.",
  "Connection is disconnected before receiving invoke response from the service",
  NOT_CONNECTED,
  "Invocation cancelled by abortSignal.",
  "Invocation id is already registered.",
  "Unsupported invoke response frame.",
] as const;

/** The place of both that an abort has. */
export const ABORTED = 3;

/** What `of_name` counts, from 1. */
const nameProblems = [
  "A group name is 1 to 1024 characters, not all of them white space.",
  "`.` and `..` are no names: URLs resolve them as path segments.",
  "An event name is a letter and up to 127 more of letters, digits and _.-",
];

/** An ack without an error has neither. */
const detailOf = (name = "", message = "") => (name || message ? { name, message } : undefined);

/** A `SendMessageError` with the official SDK's message; a plain `Error` where that SDK has one. */
export function sendError(problem: number, ackId: number | undefined, name?: string, text?: string): Error {
  const message = sendProblems[problem]!;
  return message === NOT_CONNECTED && ackId === undefined
    ? new Error(message)
    : new SendMessageError(message, { ackId, errorDetail: detailOf(name, text) });
}

/** An `InvocationError` with the service's words, or with the official SDK's. */
export const invocationError = (problem: number, invocationId: string, name?: string, text?: string): InvocationError =>
  new InvocationError(name === undefined ? invocationProblems[problem]! : (text ?? ""), {
    invocationId,
    errorDetail: detailOf(name, text),
  });

/** Throws what is wrong with a name, if something is. */
export function checkName(problem: number): void {
  if (problem) throw new Error(nameProblems[problem - 1]);
}

export const abortError = (message: string, signal?: AbortSignalLike): unknown =>
  signal?.reason ?? new DOMException(message, "AbortError");

/** What `of_start` counts. */
const startProblems = [
  "stopping",
  "not-stopped",
  "stopped",
  "aborted",
  "credential",
  "invalid-url",
  "refused",
  "timed-out",
  "unreachable",
  "closed",
] as const;

/** Whether a start failed because the client runs: that says nothing about the start that made it run. */
export const isRunningAlready = (problem: number): boolean => problem < 2;

/** What the platform reports of a socket that did not open. */
export interface Explanation {
  /** The HTTP status of a refusal. */
  status?: number;
  /** The service's words. */
  detail?: string;
}

/** What a failed start rejects with. Tokens stay out of its message. */
export async function startError(
  number: number,
  url: string,
  status: number | undefined,
  { detail }: Explanation,
  cause: unknown,
  signal: AbortSignalLike | undefined,
): Promise<unknown> {
  let problem = startProblems[number]!;
  let after = "";
  switch (problem) {
    case "stopping":
      return new Error("Can't start a client during stopping");
    case "not-stopped":
      return new Error("Client can be only started when it's Stopped");
    case "stopped":
      return abortError("The client is stopped");
    case "aborted":
      return abortError("The start was aborted.", signal);
    case "credential":
      return cause;
    case "timed-out":
      if (!url) return new Error("getClientAccessUrl gave no URL in time.");
      problem = "unreachable";
      after = " in time";
      break;
    case "closed":
      // The platform does not distinguish a refusal from a closed port; another request may.
      problem = (await isReachable(url)) ? "refused" : "unreachable";
      status = undefined;
  }
  // What a refusal without words most often comes from, where nothing speaks against it.
  const isAboutToken = problem === "refused" && (status === 401 || status === 403 || (!status && !detail));
  const what = {
    "invalid-url": "is not the URL of a WebSocket.",
    refused: `refused the connection${status ? ` with HTTP ${status}` : ""}${detail ? `: ${detail.replace(/[^.!?]$/, "$&.")}` : "."}`,
    unreachable: `cannot be reached${after}.`,
  }[problem];
  const hint = isAboutToken ? " Is the access token there, for this hub, and not expired?" : "";
  const options = { problem, status, detail, ...(cause !== undefined && { cause }) };
  return new ConnectError(`Failed to start WebSocket: ${url.split("?")[0]} ${what}${hint}`, options);
}

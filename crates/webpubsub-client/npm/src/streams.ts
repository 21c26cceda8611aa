/// <reference lib="esnext.disposable" preserve="true" />
// Group streams, as Microsoft's preview of them has it.
import type { AbortSignalLike } from "./models.js";
import type { JSONTypes, StreamDataError, StreamEndError, StreamInfo, WebPubSubDataType } from "./messages.js";

export interface OpenGroupStreamOptions {
  /** What the stream is known by, 1 to 256 characters; a random one where none is given. */
  streamId?: string;
  /** Whether this connection, if it is a member of the group, is left out; `false`. */
  noEcho?: boolean;
  /** How long the stream may be silent, in milliseconds, from 1; the service's 300000 where none is given. */
  idleTimeoutInMs?: number;
}

export interface GroupStreamWriteOptions {
  /** Gives the write up. */
  abortSignal?: AbortSignalLike;
}

export interface EndGroupStreamOptions {
  /** Gives the call up. */
  abortSignal?: AbortSignalLike;
}

export interface AbortGroupStreamOptions {
  /** Gives the call up. */
  abortSignal?: AbortSignalLike;
}

/** Sends one stream to a group. */
export interface GroupStreamWriter {
  readonly streamId: string;
  write(
    content: JSONTypes | ArrayBuffer,
    dataType: WebPubSubDataType,
    options?: GroupStreamWriteOptions,
  ): Promise<void>;
  /** Ends the stream well. */
  end(options?: EndGroupStreamOptions): Promise<void>;
  /** Ends the stream early. */
  abort(error: StreamEndError, options?: AbortGroupStreamOptions): Promise<void>;
  /** Adds a listener; the function that it returns takes it away. */
  onError(listener: (error: StreamDataError) => void): () => void;
}

/** One piece of a stream that arrives. */
export interface GroupStreamMessage {
  readonly groupName: string;
  readonly fromUserId: string;
  readonly sequenceId?: number;
  readonly dataType: WebPubSubDataType;
  readonly data: JSONTypes | ArrayBuffer;
  readonly stream: StreamInfo;
}

/** A stream that arrives, piece by piece. */
export interface GroupStream extends AsyncIterable<GroupStreamMessage> {
  readonly groupName: string;
  readonly streamId: string;
  /** Aborted when the stream ends, for whatever reason. */
  readonly abortSignal: AbortSignal;
}

/** What a listener to streams is known by. */
export interface GroupStreamSubscription {
  /** Listens no longer: the streams that were passed on end. */
  close(): Promise<void>;
  readonly isActive: boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface OnGroupStreamOptions {
  /** How long each stream may be silent, in milliseconds; 300000. */
  idleTimeoutInMs?: number;
  /** Whether streams whose beginning was missed are left out; `false`. */
  handleFromStart?: boolean;
  /** The groups to listen to; all where none is named. */
  groupNames?: string[];
}

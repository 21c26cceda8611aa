// What `Client.signal` says, as `../../src/client.rs` numbers it, and what its two numbers are.

/** A call: start. */
export const START = 0;
/** A call: it is given up. */
export const ABORT = 1;
export const STOP = 2;
/** This is a good moment to look at the link. */
export const WAKE = 3;
/** The timer has rung. */
export const TIMEOUT = 4;
/** An attempt: the credential gave no URL. */
export const URL_FAILED = 5;
/** An attempt: its socket is open. */
export const OPENED = 6;
/**
 * An attempt, and the HTTP status of a refusal, or 0 where no server answered, or -1 where the platform does not know: its
 * socket failed, which says nothing of one that is open: that one is about to close.
 */
export const CONNECT_FAILED = 7;
/** An attempt, and an ack id: the service has done it. */
export const ACKNOWLEDGED = 8;
/** An attempt: its socket brought a frame that says nothing of what the core knows, a sign of life. */
export const RECEIVED = 9;

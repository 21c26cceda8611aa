// What `Client.input` says, as `../../src/input.rs` numbers it, and what comes with it: `id`, `number` and up to three
// values. What is left out is `undefined`; a text that is missing is empty, a number that is missing negative.

/** A call: start. */
export const START = 0;
/** A call: it is given up. */
export const ABORT = 1;
export const STOP = 2;
/** This is a good moment to look at the link. */
export const WAKE = 3;
/** The timer has rung. */
export const TIMEOUT = 4;
/** An attempt, and the credential's URL. */
export const URL_FETCHED = 5;
/** An attempt: the credential gave no URL. */
export const URL_FAILED = 6;
/** An attempt: its socket is open. */
export const OPENED = 7;
/**
 * An attempt, and the HTTP status of a refusal, or 0 where no server answered, or -1 where the platform does not know: its
 * socket failed, which says nothing of one that is open: that one is about to close.
 */
export const CONNECT_FAILED = 8;
/** An attempt, the code and the reason: its socket closed. */
export const CLOSED = 9;
/** An attempt, and an ack id: the service has done it. */
export const ACKNOWLEDGED = 10;
/** An attempt, an ack id, the name and the words of an error: the service has not done it. */
export const REFUSED = 11;
/** An attempt, a sequence id, and a data message of which `Client.data` said that more follows. */
export const DATA = 12;
/** An attempt, the connection's id, the user's id and the token for its recovery: the connection's first message, or a fresh token. */
export const CONNECTED = 13;
/** An attempt, and the service's farewell. */
export const DISCONNECTING = 14;
/** An attempt, the id of an invocation, and its good answer. */
export const ANSWERED = 15;
/** An attempt, the id of an invocation, and the name and the words of an error, where `number` is not 0. */
export const ANSWER_REFUSED = 16;
/** An attempt, and the id of an invocation with an answer that cannot be read. */
export const ANSWER_UNREADABLE = 17;
/** An attempt: its socket brought a frame that says nothing of what the core knows, a sign of life. */
export const RECEIVED = 18;
/** A call, the event's name, its payload, and the invocation's id. */
export const INVOKE = 19;
/** A call, an ack id, and a message but for its ack id: have the service do something else that it acknowledges. */
export const OTHER = 20;
/** What the timer is set for is due before it rings. */
export const DUE = 21;
/** A call, an ack id, the name of a group or an event, and a payload. One of the four below is added. */
export const OPERATE = 32;

export const JOIN_GROUP = 0;
export const LEAVE_GROUP = 1;
export const SEND_TO_GROUP = 2;
export const SEND_EVENT = 3;
/** Is added for a publish of which the publisher receives nothing. */
export const NO_ECHO = 4;
/** Is added for what needs no ack. */
export const FIRE_AND_FORGET = 8;

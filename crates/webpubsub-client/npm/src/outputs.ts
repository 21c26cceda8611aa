// What the core asks for with `Host.output`, and says, as `../../src/output.rs` numbers it, and what comes with it: `id`,
// `detail`, `number`, up to three texts and a value.

/** An attempt: ask the credential. */
export const FETCH_URL = 0;
/** An attempt, and where to: open a socket, and let go of the one before. Answered with whether the platform takes the URL. */
export const OPEN_SOCKET = 1;
/** An attempt: close its socket without a code, if it is the newest one. */
export const CLOSE_SOCKET = 2;
/** `number` milliseconds: ring the one timer then; or never, where they are negative. */
export const SET_TIMER = 3;
/**
 * A message for the newest socket: its kind, by its place in `kinds.ts`; whether there is no echo; its ack id or sequence
 * id; the name of a group or an event, an invocation's id; its payload.
 */
export const SEND = 4;
/** A message of `OTHER` for the newest socket, and its ack id. */
export const SEND_OTHER = 5;
/** A call: the client has started. */
export const STARTED = 6;
/** A call, which problem it was, and the HTTP status or close code, or 0. */
export const START_FAILED = 7;
/** A call, whether it was done before, and its ack id. */
export const DONE = 8;
/** A call, which problem it was, its ack id, and the name and the words of the service's error. */
export const FAILED = 9;
/** A call, and its answer. */
export const INVOKED = 10;
/** A call, which problem it was, the invocation's id, and the name and the words of the service's error. */
export const INVOCATION_FAILED = 11;
/** The connection's id, and the user's. */
export const CONNECTED = 12;
/** Whether a new connection follows; the close code; the connection's id, the service's farewell, the reason. */
export const DISCONNECTED = 13;
/** The close code and the reason; none where no socket was ever open. */
export const STOPPED = 14;
/** Whether a recovery is over, and the connection's id. */
export const RECOVERY = 15;
/** A data message. */
export const MESSAGE = 16;
/** Which problem it was, the ack id, the group, and the name and the words of the service's error. */
export const REJOIN_FAILED = 17;

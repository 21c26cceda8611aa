//! Every number of the protocol, with where it comes from, and the defaults of those that an operator
//! sets.

use std::time::Duration;

/// Longest client message after reassembly, in bytes. Longer ones close the connection with 1009.
///
/// Source: docs/spec/client.md#limits; Azure Web PubSub's published limits.
pub const MAX_CLIENT_MESSAGE_BYTES: usize = 1_048_576;

/// How many connections a hub may have; 0 for as many as its shards take.
///
/// Source: docs/spec/client.md#limits, which leaves the number to the operator.
pub const DEFAULT_CONNECTION_QUOTA: u32 = 0;

/// Messages that one client may send a second, in the long run. The service documents none.
pub const DEFAULT_CLIENT_MESSAGES_PER_SECOND: u32 = 10_000;

/// Messages that one client may send at once. The service documents none.
pub const DEFAULT_CLIENT_MESSAGE_BURST: u32 = 100_000;

/// Bytes that may wait on a socket for its client to read, beside those that a reliable client has not
/// acknowledged.
///
/// Source: docs/spec/client.md#limits, which asks for a bound; the number is that of the reliable buffer.
pub const DEFAULT_OUTBOUND_LIMIT_BYTES: u32 = 16 * 1024 * 1024;

/// Groups that one connection may be in. The service documents no bound.
pub const DEFAULT_CLIENT_GROUPS: u32 = 4096;

/// Longest body of a REST `:send`, in bytes. Longer ones are answered 400.
///
/// Source: docs/spec/rest.md#message-bodies.
pub const MAX_REST_MESSAGE_BYTES: usize = 1_048_576;

/// Longest hub name, in characters.
///
/// Source: docs/spec/client.md#names.
pub const MAX_HUB_NAME_CHARS: usize = 128;

/// Longest event name, in characters.
///
/// Source: docs/spec/client.md#names.
pub const MAX_EVENT_NAME_CHARS: usize = 128;

/// Longest group name (and permission target), in characters.
///
/// Source: docs/spec/client.md#names.
pub const MAX_GROUP_NAME_CHARS: usize = 1024;

/// How many successfully used ack ids a connection remembers, oldest forgotten first.
///
/// Source: docs/spec/client.md#acks (emulator, `AckCache.cs`).
pub const ACK_CACHE_SIZE: usize = 1000;

/// Longest time to live of a message, in seconds; 0 means that it never expires.
///
/// Source: docs/spec/client.md#time-to-live.
pub const MAX_TTL_SECONDS: u16 = 300;

/// Longest stream id, in characters. The service documents none.
pub const MAX_STREAM_ID_CHARS: usize = 256;

/// Streams that one connection may have open. The service documents no bound.
pub const MAX_STREAMS: usize = 256;

/// How long a stream may be idle unless its publisher says otherwise, in milliseconds.
///
/// Source: docs/spec/client.md#streams.
pub const DEFAULT_STREAM_IDLE_MILLIS: u32 = 300_000;

/// Longest metadata key, in bytes.
///
/// Source: docs/spec/client.md#metadata.
pub const MAX_METADATA_KEY_BYTES: usize = 256;

/// Longest metadata value, in bytes.
///
/// Source: docs/spec/client.md#metadata.
pub const MAX_METADATA_VALUE_BYTES: usize = 1024;

/// Longest metadata in all, keys and values together, in bytes.
///
/// Source: docs/spec/client.md#metadata.
pub const MAX_METADATA_BYTES: usize = 8 * 1024;

/// Most entries in what a client sets as its state in a group. The service documents no bound.
pub const MAX_GROUP_STATE_ENTRIES: usize = 256;

/// Most bytes in a connection's state in a group, as compact JSON. The service documents none.
pub const MAX_GROUP_STATE_BYTES: usize = 4096;

/// Groups in which one connection may have a state. The service documents no bound.
pub const MAX_STATES_OF_A_CONNECTION: usize = 100;

/// Groups to the states of which one connection may be subscribed. The service documents no bound.
pub const MAX_STATE_SUBSCRIPTIONS: usize = 100;

/// Most bytes of all states of a group, which make one snapshot: states as JSON, ids of connections and users,
/// and 128 for each state. The service documents no bound.
pub const MAX_GROUP_STATES_BYTES: usize = 1024 * 1024;

/// Most bytes of all states of a hub, which every shard has in memory. The service documents no bound.
pub const MAX_HUB_STATES_BYTES: usize = 8 * 1024 * 1024;

/// How far a token's times may be off from ours.
///
/// Source: docs/spec/client.md#client-tokens; docs/spec/rest.md#authentication.
pub const TOKEN_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Longest reason in a WebSocket close frame, in UTF-8 bytes.
///
/// Source: docs/spec/client.md#close-codes (125 bytes for a control frame, 2 of them the code).
pub const MAX_CLOSE_REASON_BYTES: usize = 123;

/// Literal group entries for one permission type of one connection.
///
/// Source: docs/spec/permissions.md#patterns.
pub const MAX_LITERAL_PERMISSIONS: usize = 1000;

/// Group patterns for one permission type of one connection.
///
/// Source: docs/spec/permissions.md#patterns, which asks for at least 10.
pub const MAX_PERMISSION_PATTERNS: usize = 10;

/// Wildcards (`?`, `*`, `**`) in one group pattern.
///
/// Source: docs/spec/permissions.md#patterns (the token rule).
pub const MAX_PATTERN_WILDCARDS: usize = 5;

/// Most members of a group in one page of their list, and the size of a page unless asked otherwise.
///
/// Source: docs/spec/rest.md#members-of-a-group.
pub const MAX_PAGE_SIZE: u32 = 200;

/// Most members of a group that can be asked for, over all pages.
///
/// Source: docs/spec/rest.md#members-of-a-group.
pub const MAX_TOP: u32 = 2_147_483_647;

/// Longest continuation token, in bytes.
///
/// Source: docs/spec/rest.md#members-of-a-group.
pub const MAX_CONTINUATION_TOKEN_BYTES: usize = 2048;

/// Deepest nesting of parentheses, calls and `not` in a filter.
///
/// Source: docs/spec/rest.md#filters.
pub const MAX_FILTER_DEPTH: usize = 100;

/// Longest filter, in bytes. The service documents none; this is more than fits in a URL.
pub const MAX_FILTER_BYTES: usize = 65_536;

/// Messages that a reliable connection may have unacknowledged. One more, and it is closed for good.
///
/// Source: docs/spec/client.md#reliable-buffer.
pub const MAX_BUFFERED_MESSAGES: usize = 1000;

/// Bytes of messages that a reliable connection may have unacknowledged.
///
/// Source: docs/spec/client.md#reliable-buffer (16 MiB).
pub const MAX_BUFFERED_BYTES: usize = 16 * 1024 * 1024;

/// Most bytes in the body of an event handler's answer.
///
/// Source: docs/spec/client.md#limits.
pub const MAX_HANDLER_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Most bytes in the body of an answer to `connect`: what it says of a client travels in a header.
/// The service documents none.
pub const MAX_CONNECT_ANSWER_BYTES: usize = 1024 * 1024;

/// Longest `ce-connectionState`: what a handler can be sent in a header in turn. Node.js reads 16 KiB of
/// headers.
pub const MAX_CONNECTION_STATE_BYTES: usize = 12 * 1024;

/// Longest URL template of an event handler, in bytes. The service documents none.
pub const MAX_URL_TEMPLATE_BYTES: usize = 2048;

// Clients: URLs, tokens, the handshake, the JSON subprotocols and simple clients.
import { differs, e2e, missing, native, row, testsOf } from "./row.mjs";

const [
  acks,
  anonymous,
  closing,
  delivery,
  frames,
  groups,
  handshake,
  hibernation,
  limits,
  malformed,
  order,
  protobuf,
  recovery,
  reliable,
  restart,
  settings,
  simple,
  states,
  stopping,
  strangers,
  token,
] = [
  "clients/acks",
  "clients/anonymous",
  "clients/closing",
  "clients/delivery",
  "clients/frames",
  "clients/groups",
  "clients/handshake",
  "reliability/hibernation",
  "operations/limits",
  "reliability/malformed",
  "clients/order",
  "clients/protobuf",
  "reliability/recovery",
  "reliability/reliable",
  "reliability/restart",
  "operations/settings",
  "clients/simple",
  "clients/group-states",
  "reliability/stopping",
  "operations/strangers",
  "clients/token",
].map(e2e);
const [answers, connecting, events, notifications] = ["answers", "connect", "events", "notifications"].map((name) =>
  e2e(`event-handlers/${name}`),
);
const [permissions, restExistence, restOperations, restSend] = [
  "clients/permissions",
  "rest/existence",
  "rest/operations",
  "rest/send",
].map(e2e);

const streams = e2e("clients/streams");
const [shardRules, shardEnds] = [native("shard", "tests/streams"), native("shard", "tests/stream_ends")];
const vectors = e2e("clients/json-vectors");
const stateRules = native("shard", "tests/group_states");
/** @param {...string} names */
const accepted = (...names) => vectors("every accepted frame is answered as its words say", ...names);
/** @param {...string} names */
const refused = (...names) => vectors("every refused frame closes with 1007, after a word about why", ...names);

const firstFrame = handshake("the first frame names the connection and its user");
const legacy = handshake("the legacy URL leads to the same hub");
/** @param {...string} paths */
const unknownPaths = (...paths) => handshake("unknown paths get 404, asked for as a page or as a WebSocket", ...paths);
const subprotocols = handshake("the first known subprotocol is echoed in the client's words");
/** @param {...string} cases */
const in_ = (...cases) => token("claims that let a client in", ...cases);
/** @param {...string} cases */
const out = (...cases) => token("claims that do not", ...cases);
/** @param {...string} cases */
const signedOtherwise = (...cases) => token("tokens that are none, or are signed otherwise", ...cases);
const simpleModes = simple("are refused with 400 for a mode that is none");
const askedAbout = connecting("is asked about with all that the client said but credentials");
/** @param {...string} cases */
const answered = (...cases) => answers("an answer reaches the ${kind.name} client before its ack: ${what}", ...cases);

const idle = hibernation("idle for 25 s, connections keep all and outlive their tokens");
const again = recovery("unacknowledged, missed and new messages come in order");
const kept = recovery("groups, permissions and ack ids are kept, without connected");
const ends = recovery("a client's close with 1000 is final, every other end is not");
const final = recovery("a server's close and a violation of the protocol are final");
const refusedRecovery = recovery("a failed recovery is closed with 1008 and harms nothing");

export const client = [
  {
    title: "Endpoints and names",
    sources: ["docs/spec/client.md#endpoints", "docs/spec/client.md#names"],
    rows: [
      row("`/client/hubs/{hub}`", firstFrame),
      row("The legacy forms `/client/?hub={hub}` and `/client?hub={hub}`", legacy),
      row(
        "`hub` in the query means nothing beside a hub in the path, and unknown parameters change nothing",
        handshake("parameters unknown to the endpoint, and hub, change nothing"),
      ),
      row("Unknown paths, Socket.IO's among them, get 404", unknownPaths("/clients/socketio/hubs/chat")),
      row(
        "The token in `access_token`, the name in any case",
        token("the parameter's name is read without regard to case"),
      ),
      row(
        "The token in `Authorization: Bearer`, the scheme in any case; the query's wins",
        token("the token may come in the header, and the query's wins"),
      ),
      row(
        "A reconnection token without a connection id is ignored",
        reliable("a reconnection token without connection id asks for nothing"),
      ),
      row("The query is in the `connect` event", askedAbout),
      row(
        "Names of hubs: a letter and up to 127 more of letters, digits and ``_`,.[]``",
        handshake("a hub's name takes the whole published pattern, also escaped"),
        handshake("a hub that is none gets 400, before the token is looked at"),
      ),
      row("Names of hubs ignore case", token("a hub's case does not matter, in the URL or in the token")),
      row(
        "A hub needs no registration, and receives nothing of another",
        delivery("two hubs receive nothing from each other"),
      ),
      row(
        "Names of groups: 1 to 1024 characters of any kind, case-sensitive",
        groups("names of groups keep their case and may have any characters"),
        accepted("a group may have 1024 characters"),
      ),
      row(
        "Blank names of groups, and longer ones, are none",
        refused("a group without characters", "a group of blanks", "a group of 1025 characters"),
      ),
      differs(
        "Users and groups may be named `.` and `..`",
        'They are refused with words: URLs resolve them, so Microsoft\'s `sendToUser("..")` is a call to everybody.',
        handshake("users and groups that URLs resolve get 400 from every place"),
      ),
      row(
        "User ids are case-sensitive, and may be absent",
        restExistence("what exists gets 200, what does not 404 and a code", "/users/Alice"),
        firstFrame,
      ),
      row(
        "Names of events: a letter and up to 127 more of letters, digits and `_.-`",
        accepted(
          "an event's name keeps its case and may have digits, _ . and -",
          "an event's name may have 128 characters",
        ),
        refused(
          "an event's name that starts with a digit",
          "an event's name with a blank",
          "an event's name of 129 characters",
        ),
      ),
      row("Connection ids are unique and of `[A-Za-z0-9_-]`", firstFrame),
    ],
  },
  {
    title: "Client tokens",
    sources: ["docs/spec/client.md#client-tokens"],
    rows: [
      row(
        "HS256, and no other algorithm, `none` least of all",
        signedOtherwise("no signature", "another algorithm", "an algorithm in lower case"),
      ),
      row(
        "The key is the access key's bytes, not decoded",
        native("auth", "tests/vectors_tokens")(
          "bad_tokens_are_refused_with_401_for_their_vectors_reason",
          "the key decoded from base64",
        ),
      ),
      row(
        "Either of two keys signs",
        token("the secondary key signs as well as the primary"),
        signedOtherwise("another key"),
      ),
      row("`kid` may be there", token("a key id in the header is no hindrance")),
      row(
        "The specification's own token",
        native("auth", "tests/vectors_tokens")("good_tokens_say_what_their_vectors_say", "the spec's own token"),
      ),
      row(
        "`aud` is the client URL, without its query",
        in_("what the SDKs sign", "a query"),
        out("another hub", "another host", "another port", "a prefix of the path", "no audience"),
      ),
      row("`aud` may be one of several", in_("one of several audiences"), out("an empty audience")),
      row(
        "`http`, `https`, `ws` and `wss` are the same in `aud`",
        in_("https for http", "wss for http"),
        out("a scheme that is none of the web's"),
      ),
      row(
        "Host and path of `aud` are compared without regard to case, and a slash at the end does not count",
        in_("another case of host and path", "a slash at the end"),
      ),
      row("A hub may be escaped in `aud`, as .NET does", token("an escaped hub may stand in the audience either way")),
      row(
        "The legacy URL's own address is an audience there",
        token("at the legacy URL, its own address is an audience too"),
      ),
      row(
        "Accepted hosts beside the one that was asked (`ACCEPTED_HOSTS`)",
        settings("hosts that are accepted are audiences too, and no others"),
      ),
      row("MQTT's audience and the REST API's open nothing here", out("MQTT's path", "the REST API's path")),
      row(
        "`exp` is required, with five minutes for clocks",
        in_("expired four minutes ago, clocks being what they are"),
        out("no expiry", "expired six minutes ago", "an expiry in words"),
      ),
      row("An open connection outlives its token", idle),
      row(
        "`nbf` is honoured, with the same five minutes",
        in_("not before four minutes from now"),
        out("not before six minutes from now"),
      ),
      row("`iat` and `iss` are not looked at", in_("no iat", "issued tomorrow", "an issuer, which is not checked")),
      row("`sub` is the user", firstFrame),
      row(
        "Numbers are read as .NET's reader reads them: `sub` as its text, `exp` and `nbf` in strings, too",
        token("a user or a group that is a number is its text"),
        in_("an expiry in a string"),
        out("a user that is a boolean"),
      ),
      row(
        "`role` and `webpubsub.group` are strings, lists or repeated claims",
        token("roles and groups are a string, a list or repeated claims"),
      ),
      row(
        "The groups of a token are joined before the connection is announced",
        handshake("a connection can be addressed as soon as it knows its id"),
      ),
      row(
        "An invalid group in a token gets 400 and says so",
        handshake("a group in the token that is none gets 400 and says so"),
      ),
      row("Other claims are in the `connect` event", askedAbout, in_("unknown claims")),
      row(
        "Without a token: 401, unless the hub's `anonymousConnectPolicy` is `allow`",
        anonymous("are refused unless the settings name the hub and allow them"),
      ),
      row(
        "A caller without a token makes nothing, whatever hub it names",
        strangers("leave no file, no hub, and a tenth of the memory of others"),
      ),
      row("Anonymous connections have no user and no roles", anonymous("have no user and no roles")),
      row(
        "A token that is there is checked, anonymous or not",
        anonymous("are not made of a wrong token, which is refused all the same"),
      ),
    ],
  },
  {
    title: "Handshake",
    sources: ["docs/spec/client.md#handshake"],
    rows: [
      row("First: no WebSocket, 400", handshake("a request that asks for no WebSocket gets 400 first")),
      row("Then: no valid hub, 400", handshake("a hub that is none gets 400, before the token is looked at")),
      row("Then: a recovery needs no token", recovery("an access token beside the reconnection token is ignored")),
      row("Then: no valid token, 401", handshake("no token gets 401, which answer and log say")),
      differs(
        "Its body is empty",
        "`WWW-Authenticate: Bearer`, and an error body whose message says which check failed.",
        token("a refusal names the failed check, not the expected value"),
      ),
      row(
        "Then: an invalid group or simple mode, 400 with a text",
        handshake("a missing token is noticed before a wrong simple mode"),
        handshake("a group in the token that is none gets 400 and says so"),
      ),
      row(
        "Then: more connections than the quota (`CONNECTION_QUOTA`), 429",
        limits("is what a hub takes, and one more when one has left"),
        limits("is checked after token and mode, and not for a recovery"),
      ),
      row(
        "A hub whose shards are full: 503, for a moment",
        settings("a hub with room takes clients; a full one says 503 and when"),
      ),
      row(
        "Then: the `connect` event, whose refusal becomes the answer",
        connecting("is refused with the handler's status and words: ${status}"),
        connecting("is not asked about without a handler or for a refused client"),
      ),
      row("101 with the chosen subprotocol", subprotocols),
      differs(
        "permessage-deflate where a client offers it",
        "Only where an operator turns it on (`--web-socket-compression`): it costs three times the memory.",
        e2e("operations/compression")("${agreed} agreed on with a client that offers it, new or recovering"),
      ),
      row(
        "The connection can be addressed over REST when its client receives `connected`",
        handshake("a connection can be addressed as soon as it knows its id"),
      ),
    ],
  },
  {
    title: "Subprotocols",
    sources: ["docs/spec/client.md#subprotocols"],
    rows: [
      row("None: a simple client", simple("receive bare payloads, and no message before the first")),
      row("`json.webpubsub.azure.v1`", firstFrame),
      row("`json.reliable.webpubsub.azure.v1`", firstFrame),
      row(
        "`protobuf.webpubsub.azure.v1` and `protobuf.reliable.webpubsub.azure.v1`",
        protobuf("both subprotocols are echoed; the first frame names a client"),
      ),
      row("Names are matched in any case, and echoed in the client's spelling", subprotocols),
      row("Of several that are offered, the first known one", subprotocols),
      row(
        "Only unknown ones offered: a simple client, and no answer to the offer",
        subprotocols,
        handshake("a client that offers nothing known is a simple one"),
      ),
      row(
        "A subprotocol chosen by the `connect` event; one that was not offered is 500",
        connecting("settles on a subprotocol: ${what}"),
        connecting("is refused with 500 for a subprotocol that was not offered"),
      ),
    ],
  },
  {
    title: "Simple clients",
    sources: ["docs/spec/client.md#simple-clients", "docs/spec/client.md#simple-modes"],
    rows: [
      row(
        "A frame is the user event `message`; the next one waits for it",
        events("a handler gets what a ${kind.name} client sends: ${dataType}"),
        events("a simple client's next frame waits for the one before it"),
      ),
      row(
        "Without a handler, or when it fails: 1011, `Internal server error`",
        simple("send events, and are closed with 1011 without a handler"),
        events("an event that no handler asks for fails, of a ${kind.name} client"),
      ),
      row("An event handler's answer is sent back as one frame, by its content type", answered("text", "bytes")),
      row(
        "No word when connected, none when closed",
        simple("receive bare payloads, and no message before the first"),
        restOperations("a reason of 200 characters reaches readers and closes alike"),
      ),
      row(
        "Text and JSON come as text, a JSON string with its quotes",
        simple("receive bare payloads, and no message before the first"),
        delivery("a server's publish reaches all, the group and the user"),
      ),
      row("JSON comes letter for letter", simple("receive bare payloads, and no message before the first")),
      row(
        "Binary comes as binary, a protobuf `Any` as its bytes",
        delivery("a client's publish reaches every member of the group"),
      ),
      row("`webpubsub_mode` absent, empty or `sendEvent`: events", simple("send events by default, and by name")),
      row(
        "`webpubsub_mode=sendToGroup`, in any case: every frame is published to `group`",
        simple("asked to, publish every frame to one group"),
      ),
      row(
        "`noEcho`, by default `false`",
        simple("receive what they publish themselves, unless they ask not to"),
        simple("asked to, publish every frame to one group"),
      ),
      row("Another mode, no valid group, another `noEcho`: 400", simpleModes),
      row("Of repeated parameters the last counts", simple("of parameters that are repeated the last one counts")),
      row(
        "Without the permission: 1008 and its text, at each frame",
        simple("are closed with 1008 for publishing without permission"),
        permissions("a simple client's frames need a permission, or get 1008"),
      ),
      row(
        "The parameters mean nothing where a subprotocol was chosen",
        simple("are asked for no mode where a subprotocol was chosen"),
      ),
      differs(
        "Every text is the client's own",
        'The text `{"type":"ping"}`, to the letter, is answered with `{"type":"pong"}` by the platform, and goes nowhere.',
        simple("like all others get the platform's pong for a text ping"),
      ),
    ],
  },
  {
    title: "JSON messages of clients",
    sources: ["docs/spec/client.md#messages-to-the-service"],
    rows: [
      row(
        "One JSON object a text frame, which may come in fragments",
        frames("a message may come in fragments, and counts as a whole"),
      ),
      row(
        "`type` in any case, names of properties in theirs, unknown properties ignored",
        accepted("type is read without regard to case", "unknown properties are ignored, whatever they hold"),
        refused("property names are case-sensitive"),
      ),
      row(
        "`joinGroup`, as often as one likes",
        groups("a member receives from its group until it leaves"),
        groups("joining twice brings one copy, leaving a foreign group none"),
      ),
      row(
        "`leaveGroup`, member or not",
        groups("a member receives from its group until it leaves"),
        groups("joining twice brings one copy, leaving a foreign group none"),
      ),
      row("`sendToGroup`, member or not", groups("a member receives from its group until it leaves")),
      row(
        "`noEcho` spares the sending connection, and no other of its user",
        groups("a member receives its own messages, unless it asks not to"),
      ),
      row(
        "`event`: to its handler; `InternalServerError` where there is none",
        events("a handler gets what a ${kind.name} client sends: ${dataType}"),
        acks("an event without a handler gets an error and closes nothing"),
      ),
      row("`ping`", acks("a ping in the platform's spelling or any other is answered")),
      row(
        "`sequenceAck` with a number, without effect on a connection that is not reliable",
        reliable("the plain protocol takes any sequence ack without a word"),
        accepted("sequenceAck of the largest 64-bit number"),
        refused("a sequence id that is a string"),
      ),
    ],
  },
  {
    title: "Data and its validation",
    sources: [
      "docs/spec/client.md#data-types",
      "docs/spec/client.md#invalid-messages",
      "docs/spec/client.md#metadata",
      "docs/spec/client.md#time-to-live",
    ],
    rows: [
      row(
        "`json`, the default: any value but `null`",
        accepted("sendToGroup of JSON, by default", "sendToGroup of JSON false"),
        refused("JSON null", "JSON null, by name"),
      ),
      row(
        "`text`: a string",
        accepted("sendToGroup of text", "sendToGroup of empty text", "text may have any characters"),
        refused("text that is a number", "text that is null"),
      ),
      row(
        "`binary`: padded standard base64",
        accepted("sendToGroup of bytes", "sendToGroup of no bytes"),
        refused("bytes that are no base64", "base64 without its padding", "base64 of the URL alphabet"),
      ),
      row(
        "`protobuf`: base64 of an `Any`",
        accepted("sendToGroup of a protobuf Any"),
        refused("a protobuf Any that is no base64"),
      ),
      row(
        "`dataType` in any case, delivered in lower case",
        accepted(
          "sendToGroup of text, in another case",
          "sendToGroup of JSON, in upper case",
          "event with binary data, in another case",
          "an invocation with text, in another case",
        ),
      ),
      row(
        "White space in base64 is ignored",
        accepted(
          "base64 with line breaks",
          "base64 with blanks and tabs anywhere",
          "an Any as base64 with line breaks",
        ),
      ),
      row(
        "An unknown `dataType` closes",
        refused("an unknown data type", "a data type that is a number", "an empty data type"),
      ),
      row(
        "No `data` closes, unless there is `metadata`: then it is empty text",
        refused("no data", "no data beside empty metadata", "event without data"),
        accepted("metadata without data is empty text", "event with metadata and without data"),
      ),
      row(
        "`noEcho` that is no boolean closes",
        refused("noEcho that is a string", "noEcho that is a number", "noEcho that is null"),
      ),
      row(
        "`ttlSeconds` is 0 to 300",
        accepted("a time to live of 0 seconds never expires", "a time to live may be 300 seconds"),
        refused(
          "a time to live of 301 seconds",
          "a time to live that is negative",
          "a time to live that is a fraction",
          "a time to live that is a string",
        ),
      ),
      row(
        "Ids that are no whole numbers close",
        refused(
          "an ack id that is a string",
          "an ack id that is negative",
          "an ack id that is a fraction",
          "an ack id that is a boolean",
          "a sequence id that is negative",
          "a sequence id that is a fraction",
        ),
      ),
      row(
        "`ackId`, `metadata` and `ttlSeconds` of `null` are absent",
        acks("an ack id of null is none"),
        accepted(
          "sendToGroup with metadata that is null",
          "sendToGroup with a time to live that is null",
          "event with metadata that is null",
          "an invocation with metadata that is null",
        ),
      ),
      row(
        "A missing property closes",
        refused(
          "joinGroup without a group",
          "leaveGroup without a group",
          "sendToGroup without a group",
          "event without a name",
          "sequenceAck without an id",
          "no type",
        ),
      ),
      row(
        "Invalid names close",
        refused("a group of blanks", "sendToGroup to a blank group", "an event's name without characters"),
      ),
      row("An unknown `type` closes", refused("an unknown type", "a type of the service")),
      row(
        "What is no JSON object closes",
        refused("words", "half an object", "an array", "null", "two objects", "an empty frame"),
      ),
      row(
        "Valid `metadata` is delivered as it came",
        groups("metadata arrives as it was sent"),
        accepted("metadata rides beside the data, in its own order and case"),
      ),
      row(
        "Keys of metadata: 1 to 256 token characters, each once",
        accepted("a metadata key may have 256 bytes and every token character"),
        refused(
          "an empty metadata key",
          "a metadata key with a blank",
          "a metadata key of 257 bytes",
          "a metadata key twice",
        ),
      ),
      row(
        "Values of metadata: up to 1024 bytes of ASCII; 8 KiB in all",
        accepted("a metadata value may have 1024 bytes"),
        refused(
          "a metadata value with an umlaut",
          "a metadata value of 1025 bytes",
          "a metadata value that is a number",
          "metadata above 8 KiB in all",
        ),
      ),
      row("Metadata in the headers of an event", events("metadata becomes lower-case headers, the last of a key wins")),
      row(
        "`ttlSeconds`: a copy that was not consumed in time is not sent again",
        recovery("copies whose time to live is over leave gaps in the numbers"),
      ),
    ],
  },
  {
    title: "Acks",
    sources: ["docs/spec/client.md#acks"],
    rows: [
      row("Success", groups("a member receives from its group until it leaves")),
      row(
        "`Forbidden`, with the text for joining, leaving and sending",
        groups("without a role nothing is allowed, and the ack says what"),
      ),
      row("`Duplicate`, with its text", acks("an ack id is used once, whatever the operation")),
      row("`InternalServerError`, with its text", acks("an event without a handler gets an error and closes nothing")),
      row(
        "Without an ack id there is never an ack",
        groups("what is refused without an ack id is refused in silence"),
        acks("an event without a handler gets an error and closes nothing"),
      ),
      row("Any number from 0 to 2^64-1", acks("an ack id may be any 64-bit number")),
      row("The last 1000 ids are remembered", acks("the last thousand ids are remembered, older ones are not")),
      row(
        "One memory for all operations; a duplicate is not carried out",
        acks("an ack id is used once, whatever the operation"),
      ),
      row("Only success uses an id up", acks("an operation that failed may be tried again with its ack id")),
      row("Each connection has its own ids", acks("ack ids of two connections are independent")),
      row("They outlive recovery and hibernation", kept, idle),
      row(
        "An event that fails leaves the connection open",
        acks("an event without a handler gets an error and closes nothing"),
      ),
      row("An event handler's answer comes before the ack", answered("text")),
    ],
  },
  {
    title: "Messages to JSON clients",
    sources: ["docs/spec/client.md#messages-to-the-client"],
    rows: [
      row("`connected` first, with `userId: null` for an anonymous user", firstFrame),
      row("`reconnectionToken` on reliable connections only", firstFrame),
      row(
        "`disconnected` before the service closes",
        restOperations("a reason of 200 characters reaches readers and closes alike"),
        frames("text that is no message closes with 1007"),
      ),
      row(
        'Messages `from: "group"`: of clients and of servers',
        delivery("a client's publish reaches every member of the group"),
        delivery("a server's publish reaches all, the group and the user"),
      ),
      row(
        "`fromUserId`, absent for anonymous senders and servers",
        groups("an anonymous sender has no name"),
        restSend("to all, a group, a user or a connection, and no others"),
      ),
      row(
        'Messages `from: "server"`: to all, to a user, to a connection',
        restSend("to all, a group, a user or a connection, and no others"),
      ),
      row(
        'Messages `from: "server"`: an event handler\'s answers',
        answered("text", "JSON, letter for letter", "bytes", "an Any"),
      ),
      row(
        "`sequenceId` on reliable connections only, a number",
        reliable("each connection counts what it receives itself"),
      ),
      row(
        "`dataType` as published, binary and protobuf in base64",
        delivery("a client's publish reaches every member of the group"),
      ),
      row(
        "JSON letter for letter",
        restSend("JSON is delivered letter for letter"),
        accepted("sendToGroup of a JSON number that no float holds", "JSON data keeps the white space inside it"),
      ),
      row(
        "One copy, however often a connection became a member",
        groups("joining twice brings one copy, leaving a foreign group none"),
      ),
      row(
        "In the order published",
        order("of one client's messages"),
        order("of several clients' messages, each taken by itself"),
        order("of a server's publishes, each begun after the last's answer"),
      ),
      row(
        "Acks in the order of the messages that they answer",
        order("of one client's messages"),
        frames("what precedes a refused frame is done, what follows is not"),
      ),
      row(
        "A join holds for what is published after its ack",
        order("a join holds for whatever is published after its ack"),
      ),
      row(
        "Never `data: null`",
        refused("JSON null"),
        restSend("JSON null gets 400, since clients drop it without a word"),
      ),
    ],
  },
  {
    title: "Sequence ids and what is kept",
    sources: ["docs/spec/client.md#sequence-ids", "docs/spec/client.md#reliable-buffer"],
    rows: [
      row(
        "1, 2, 3 … for every data message, whoever sent it, and for nothing else",
        reliable("messages are numbered from 1 whatever they are, nothing else"),
      ),
      row("Each connection has its own", reliable("each connection counts what it receives itself")),
      row(
        "Without a gap, however long a connection was idle",
        idle,
        native("shard", "tests/hibernation")("sequence_ids_have_no_gap_however_often_memory_is_lost"),
      ),
      row("Messages are kept until they are acknowledged", again),
      row("`sequenceAck` acknowledges all up to its number", again),
      row(
        "`sequenceAck` of a number that was never sent closes",
        reliable("a sequence ack of an unsent message ends the connection"),
      ),
      row("Acks of old ids do no harm", reliable("the plain protocol takes any sequence ack without a word")),
      row(
        "1000 messages are kept; one more ends the connection for good, with `The reliable message buffer is full.`",
        recovery("1000 messages are kept; one more ends the connection"),
      ),
      row("16 MiB are kept", recovery("sixteen mebibytes are kept, and no more")),
      row("What is published while a client is away is kept too, and its groups stay", again, kept),
    ],
  },
  {
    title: "Dropped and closed connections",
    sources: ["docs/spec/client.md#detached-connections"],
    rows: [
      row("A client's close with 1000 is final", ends, restExistence("a user is there as long as one connection is")),
      row("A close without a code or with another, and a drop, can be recovered from", ends, again),
      row("A violation of the protocol is final", final, frames("a reliable connection ends as finally as any other")),
      row("A server's close is final, even while the client is away", final),
      row("A full buffer is final", recovery("1000 messages are kept; one more ends the connection")),
      row(
        "A connection that is not reliable ends with its socket",
        recovery("connections of the other subprotocols end with their socket"),
        handshake("a closed connection is gone"),
      ),
      row(
        "It can be recovered for a minute, or as long as `RECOVERY_WINDOW_SECONDS` says",
        recovery("is what the settings say"),
        native("shard", "tests/recovery")("a_connection_can_be_recovered_for_a_minute_and_not_longer"),
      ),
      row(
        "A service that crashes has kept everything",
        restart("reliable connections come back, and nothing accepted is lost"),
      ),
      row(
        "The `disconnected` event, once it is final",
        notifications(
          "the end is reported once, with the reason: ${what}",
          "a reliable client that does not come back",
        ),
        notifications("a recovered connection is reported neither new nor gone"),
      ),
    ],
  },
  {
    title: "Recovery",
    sources: ["docs/spec/client.md#recovery", "docs/spec/client.md#reconnection-tokens"],
    rows: [
      row("The connection goes on: what was not acknowledged, byte for byte, what was missed, what is new", again),
      row(
        "An access token beside the reconnection token is not looked at",
        recovery("an access token beside the reconnection token is ignored"),
      ),
      row(
        "No recovery (unknown, expired or closed, a wrong token or none, another hub, not reliable): 101, then 1008 and its text",
        refusedRecovery,
        final,
        ends,
      ),
      row("A failed recovery leaves the connection alone", refusedRecovery),
      row(
        "The answer has the connection's own subprotocol, whatever is offered",
        recovery("the answer has the connection's subprotocol, not the offer's"),
      ),
      row(
        "A socket that looks alive is taken over from",
        recovery("a live socket is taken over, and the unacknowledged resent"),
      ),
      row(
        "Groups, permissions and used ack ids are kept",
        kept,
        permissions("changes before and during an absence count after it (${protocol})"),
      ),
      row("No `connected` message", kept),
      row("An operation that was done before the drop is a `Duplicate` after it", kept),
      row(
        "Messages whose time to live is over are left out",
        recovery("copies whose time to live is over leave gaps in the numbers"),
      ),
      row("A recovery counts for no quota", limits("is checked after token and mode, and not for a recovery")),
      row(
        "A reconnection token lives for a week, for its connection of its hub only",
        native("auth", "src/reconnection")("a_token_lives_a_week_to_the_millisecond"),
        native("auth", "src/reconnection")("a_token_recovers_its_connection_of_its_hub_and_no_other"),
      ),
      missing("Reconnection tokens are renewed", "Not built, and not required."),
    ],
  },
  {
    title: "Preview messages",
    sources: ["docs/spec/client.md#streams", "docs/spec/client.md#group-state"],
    rows: [
      row(
        "Group streams: `stream`, `streamData`, `streamEnd`, in order to their end",
        streams("fragments arrive in order as the group's messages"),
        shardEnds("fragments_reach_subscribers_in_order_and_once"),
        shardEnds("other_shards_receive_a_stream_in_order_to_its_end"),
      ),
      row(
        "`streamAck`, of several fragments together; `streamNack` for a gap",
        streams("a duplicate is acknowledged unpublished, a gap is refused"),
        shardRules("one_ack_answers_what_one_turn_carries_out"),
      ),
      row(
        "`TransientError` while too much waits for another shard",
        shardEnds("a_fragment_that_finds_no_room_can_be_sent_again"),
      ),
      row(
        "`streamClosed` with `StreamNotFound`, `Forbidden`, `BadRequest`, `IdleTimeout`",
        streams("what cannot be done closes the stream and says why"),
        streams("an idle stream is closed for both sides"),
        shardRules("a_revoked_permission_ends_the_stream"),
      ),
      row(
        "The end of the publisher's connection is `Cancelled` for subscribers",
        streams("the end of the publisher cancels its streams"),
        shardEnds("the_end_of_a_connection_cancels_its_streams"),
      ),
      row(
        "Streams outlive a recovery, which says `connected` first, and a sleeping object",
        streams("a recovered connection goes on with its streams"),
        shardEnds("streams_outlive_the_memory_of_their_shard"),
        shardEnds("a_crash_ends_the_streams_of_plain_connections_only"),
      ),
      differs(
        "Streams of a connection",
        "At most 256 open at once, with ids of at most 256 characters; Azure documents no bound.",
        shardRules("a_connection_has_at_most_256_streams"),
      ),
      row(
        "Group state: `setGroupState`, `subscribeGroupState`, `unsubscribeGroupState`",
        states("a subscriber gets a snapshot, then every change"),
        states("Microsoft's client of 1.1.0 reads and writes the messages"),
        stateRules("every_change_reaches_its_subscribers_the_setter_too"),
      ),
      row(
        "`groupStateUpdate` without `state` after a clearing, a leave, a removal and an end",
        states("whoever leaves, is removed or ends is shown no more"),
        stateRules("whoever_leaves_has_no_state_any_more"),
      ),
      row("`sequenceId` on states, and recovery", states("reliable subscribers recover, with the same numbers")),
      differs(
        "States on all shards, through sleep, crashes and changes of their number",
        "After a crash of the service, the states of connections that ended with it are shown until their shard is woken by any request or message.",
        states("a crash leaves what reliable connections show, and no more"),
        native("shard", "tests/group_states_model")("in_the_end_subscribers_know_the_states"),
      ),
      differs(
        "Who may set states and subscribe, and how many",
        "Azure documents neither. Members set; members and those who may join subscribe. A state has at most 4,096 bytes, a connection 100 states and 100 subscriptions, a group 1 MiB of states, a hub 8 MiB.",
        states("who may set and subscribe, and what is too much"),
        stateRules("bounds_of_states_are_refused_as_bad_requests"),
      ),
    ],
  },
  {
    title: "Close codes",
    sources: ["docs/spec/client.md#close-codes"],
    rows: [
      row(
        "1000 without a text when a server closes; the reason comes before, of any length",
        restOperations("a reason of 200 characters reaches readers and closes alike"),
      ),
      differs(
        "The end of the transport after a server's close",
        "The close frame leaves at once. The platform then keeps the transport of a client that has never sent anything, a keep-alive included, until its object sleeps, ten seconds after it was last busy: Chromium's `close` event comes after 2 s, Node's after 10 s, in a busy hub that of `ws` after 30 s. One message from the client before, such as a ping, makes it immediate. Nothing that the service can do does: closing later, twice, from an alarm or after a message, and other time limits were tried, and only sockets that keep their object from sleeping end at once.",
        closing("ends a client's transport, or brings a quiet one its frame"),
      ),
      row("The client's own code comes back", handshake("a client's own close code comes back to it")),
      differs(
        "1002 for malformed frames",
        "With the platform's own text, and without a `disconnected` message before.",
        malformed("broken WebSocket framing ends that connection and no other"),
      ),
      differs(
        "1002 for text that is no UTF-8",
        "The platform replaces what is no UTF-8 by U+FFFD, and the message counts as it then is.",
        malformed("invalid UTF-8 in a valid message is replaced by the platform"),
      ),
      row("1003 for a binary frame on JSON", frames("a binary frame closes with 1003")),
      row("1007 for what is no message", frames("text that is no message closes with 1007")),
      row(
        "1008 for a recovery that cannot be, and for a simple client without permission",
        refusedRecovery,
        simple("are closed with 1008 for publishing without permission"),
      ),
      row(
        "1008 for a full buffer, a client that sends too fast and one that does not read: none of them can be recovered",
        recovery("1000 messages are kept; one more ends the connection"),
        limits("is closed with 1008 once more than ${WAITING} messages wait, alone: ${protocol}"),
        limits("is closed with 1008, while one that speaks beside gets all"),
      ),
      row(
        "1001 for a socket that a recovery takes over from",
        recovery("a live socket is taken over, and the unacknowledged resent"),
      ),
      row(
        "1001 when the service is asked to end; a reliable connection can be recovered, and reads no `disconnected` before",
        stopping("${signal} to ${scope}: 1001 to all, reliable ones lose nothing"),
        testsOf("tests/sdk/stopping.test.mjs")("is found again by every client package, plain or reliable"),
      ),
      row("1009 for more than 1 MiB", frames("one byte more closes with 1009, in bytes and not characters")),
      row(
        "1011 for a simple client's event that fails",
        simple("send events, and are closed with 1011 without a handler"),
      ),
      row(
        "A `disconnected` message with the same text before each of them, where the client reads messages",
        frames("text that is no message closes with 1007"),
        frames("a binary frame closes with 1003"),
        frames("one byte more closes with 1009, in bytes and not characters"),
      ),
      row(
        "What came before a refused frame is done, what came after it is not",
        frames("what precedes a refused frame is done, what follows is not"),
      ),
      row(
        "A service that crashes drops its connections without a code, and takes new ones when it is back",
        restart("plain connections are gone, and new ones find the hub intact"),
      ),
    ],
  },
  {
    title: "Limits and keep-alive",
    sources: ["docs/spec/client.md#limits", "docs/spec/client.md#keep-alive"],
    rows: [
      row(
        "A client's message: 1 MiB, after it was put together",
        frames("a message of 1 MiB is delivered whole"),
        frames("a message may come in fragments, and counts as a whole"),
        frames("simple clients have the same limit"),
      ),
      row("A REST message: 1 MiB", restSend("a body of 1 MiB is accepted, one byte more gets 400")),
      differs(
        "Groups of one connection: no limit",
        "4,096, unless an operator sets another number with `CLIENT_GROUP_LIMIT`: the ack is `Forbidden`, over REST the answer 409.",
        groups("a thousand groups on one connection all work"),
        e2e("clients/many-groups")("joins no other, and receives that answer if it asks: ${protocol}"),
        e2e("clients/many-groups")("is added to no other over REST: ${protocol}"),
        e2e("clients/many-groups")("has no more in its token"),
        e2e("clients/many-groups")("is given no more by an event handler"),
        native("shard", "tests/mqtt_events")("a_handler_gives_no_more_groups_than_a_connection_may_have"),
        native("shard", "tests/groups")("a_client_may_be_in_4096_groups_or_as_many_as_there_are"),
      ),
      row(
        "What is kept for a reliable connection: 1000 messages, 16 MiB",
        recovery("1000 messages are kept; one more ends the connection"),
        recovery("sixteen mebibytes are kept, and no more"),
      ),
      row("Ack ids that are remembered: 1000", acks("the last thousand ids are remembered, older ones are not")),
      row(
        "A quota of connections for each hub, which the operator sets, with a line in the log",
        limits("is what a hub takes, and one more when one has left"),
        limits("is each hub's own"),
        limits("holds when everybody comes at once"),
        limits("is in the log when it refuses"),
      ),
      row(
        "A bound on how fast a client sends: slowed down first",
        limits("is slowed down, and all that it sent is done in order"),
        limits("is closed with 1008 once more than ${WAITING} messages wait, alone: ${protocol}"),
        limits("is carried out up to that point, and no further"),
      ),
      row(
        "A time for a client's message to come whole: five minutes, on the native server",
        native("server", "src/client")("a_message_that_never_ends_ends_its_socket"),
        native("server", "src/client")("who_is_slow_sends_messages_and_may_be_idle"),
      ),
      row(
        "A bound on all long messages together that have not come whole, on the native server",
        native("server", "src/client")("a_long_message_waits_for_room_and_comes_whole"),
        native("server", "src/client")("who_keeps_others_waiting_with_a_long_message_is_closed"),
      ),
      row(
        "A bound on what a client leaves unread, whatever it sends or acknowledges, for reliable connections beside that of what is kept",
        limits("is closed with 1008, while one that speaks beside gets all"),
        e2e("clients/slow-readers")("that send are closed as early (${kind}), while a reader stays"),
        native("shard", "tests/limits")("of_a_shard_that_leaves_too_much_unread_the_slowest_go_first"),
      ),
      missing("A quota of messages", "Not built."),
      row("A `ping` is answered", acks("a ping in the platform's spelling or any other is answered")),
      differs(
        "A pong comes after what was asked before",
        'To the text `{"type":"ping"}` the platform answers by itself, so its pong may overtake an ack.',
        acks("a ping in the platform's spelling or any other is answered"),
      ),
      row("No ping is required", idle),
      row("A ping of the WebSocket protocol gets its pong", frames("a ping of the WebSocket protocol gets its pong")),
      missing("Pings of the WebSocket protocol by the service, at an interval that the operator sets", "Not built."),
      row(
        "A `ping` overtakes an event that waits for its handler",
        events("a connection's events wait for each other, and nothing else"),
      ),
    ],
  },
];

// What Microsoft's packages do against the service, and what of the service nothing is there.
import { differs, e2e, missing, row, testsOf } from "./row.mjs";

/** The packages that the tests use unmodified, as they are pinned. */
export const packages = [
  { name: "@azure/web-pubsub", suite: "tests/sdk/microsoft-server.test.mjs" },
  { name: "@azure/web-pubsub-client", suite: "tests/sdk/microsoft-client.test.mjs" },
  {
    name: "@azure/web-pubsub-client",
    alias: "@azure/web-pubsub-client-1.1",
    suite: "tests/sdk/microsoft-client.test.mjs",
  },
  { name: "@azure/web-pubsub-express", suite: "tests/sdk/express.test.mjs" },
  { name: "azure-messaging-webpubsubservice", suite: "tests/sdk/python.test.mjs" },
  { name: "azure-messaging-webpubsubclient", suite: "tests/sdk/python-client.test.mjs" },
  { name: "mqtt", suite: "tests/e2e/mqtt/devices.test.mjs" },
  { name: "paho-mqtt", suite: "tests/e2e/mqtt/devices.test.mjs" },
  { name: "aiomqtt", suite: "tests/e2e/mqtt/devices.test.mjs" },
  { name: "amqtt", suite: "tests/e2e/mqtt/devices.test.mjs" },
];

const server = testsOf("tests/sdk/microsoft-server.test.mjs");
const python = testsOf("tests/sdk/python.test.mjs");
const names = testsOf("tests/sdk/names.test.mjs");
const https = e2e("operations/https");
/** @param {string} part */
const client = (part) => testsOf(`tests/sdk/client-suite/${part}.mjs`, "Microsoft's client");
const [connecting, receiving, invoking, operations, reconnecting, recovering] = [
  "connecting",
  "receiving",
  "invoking",
  "operations",
  "reconnecting",
  "recovering",
].map(client);
const pythonClient = testsOf("tests/sdk/python-client.test.mjs");
const express = testsOf("tests/sdk/express.test.mjs");
const own = testsOf("tests/sdk/microsoft-client.test.mjs", "Microsoft's client 1.1");
const streamsOf11 = testsOf("tests/sdk/client-suite/streaming.mjs", "Microsoft's client 1.1");

export const sdks = [
  {
    title: "Microsoft's server packages",
    sources: ["docs/spec/rest.md#server-sdks"],
    rows: [
      differs(
        "A connection string and a hub are all that a client needs",
        "On one's own machine the certificate is signed by a local authority, which each program has to trust: `NODE_EXTRA_CA_CERTS`, `REQUESTS_CA_BUNDLE`.",
        https("Microsoft's two-argument publish.js runs unmodified"),
        https("Microsoft's package for Python publishes over https (${kind})"),
      ),
      row(
        '`getClientAccessToken`, with `clientProtocol: "mqtt"` too',
        server("makes client URLs that open"),
        server("makes client URLs of MQTT that open"),
      ),
      row(
        "`sendToAll`, `sendToUser`, `sendToConnection`, `group.sendToAll`",
        server("sends to all, to a user, to a connection and to a group"),
      ),
      row(
        "`excludedConnections`, `filter`, `odata`",
        server("leaves out connections that are excluded or filtered out"),
      ),
      row(
        "`messageTtlSeconds`",
        server("sends to all, to a user, to a connection and to a group"),
        server("receives what was wrong with a message"),
      ),
      row("`connectionExists`, `userExists`, `groupExists`", server("asks who is there")),
      row(
        "`closeConnection`, `closeUserConnections`, `group.closeAllConnections`",
        server("closes ${target} with a reason, and no other"),
      ),
      row("`closeAllConnections`", server("closes all connections, with a reason")),
      row(
        "`group.addConnection`, `removeConnection`, `addUser`, `removeUser`",
        server("puts connections and users into a group and out of it"),
      ),
      row(
        "`removeConnectionFromAllGroups`, `removeUserFromAllGroups`",
        server("takes a connection and a user out of all groups"),
      ),
      row(
        "`addConnectionsToGroups`, `removeConnectionsFromGroups`",
        server("adds the connections of a filter to groups and removes them"),
      ),
      row("`group.listConnections`", server("lists a group's members: all, the first few, or by pages")),
      row(
        "`grantPermission`, `revokePermission`, `hasPermission`",
        server("grants permissions, asks for them and takes them back"),
      ),
      row(
        "Users and groups of any name, in URLs, filters and tokens, of Python too",
        names("every user and group is who its name says"),
        names("tokens say whose they are"),
      ),
      row(
        "Python: sending, asking who is there, client URLs, of MQTT too",
        python("sends to each target, asks who is there, makes client URLs"),
      ),
      row(
        "Python: groups, permissions, members, filters, closing, blocking and asynchronous",
        python("changes groups and permissions, filters and closes (${kind})"),
      ),
    ],
  },
  {
    title: "Microsoft's client packages",
    sources: ["docs/spec/sdk.md#client-sdks", "docs/spec/sdk.md#python-client"],
    rows: [
      row("`start` and the event `connected`", connecting("connects, and learns who it is")),
      row("`stop` and the events `disconnected` and `stopped`", connecting("stops when asked to, once")),
      row(
        "`joinGroup`, `leaveGroup`, `sendToGroup`",
        operations("joins, sends, receives from itself and others, and leaves"),
      ),
      row(
        "Every type of payload",
        operations("sends every type of payload, and receives it as it was"),
        receiving("receives a server's messages of every type"),
      ),
      row("Errors with the service's words", operations("reports what was refused: ${operation}")),
      row(
        "Ack ids of one's own, and `isDuplicated`",
        operations("does an operation once"),
        operations("may use it again after a failure"),
      ),
      row(
        "Pings and sequence acks",
        own("pings, and acknowledges what it received"),
        receiving("learns each message's number by default, on a reliable one"),
      ),
      row(
        "Connecting again, and joining groups again",
        reconnecting("reconnects with a new URL, and joins its groups again"),
      ),
      row(
        "Recovering after a drop on the reliable protocol, without losing, repeating or reordering messages",
        recovering("recovers after each drop; all arrives once, in order"),
        recovering("does what it was doing in a drop once"),
        recovering("gives up a silent transport, and recovers"),
      ),
      row(
        "Connecting anew where that cannot be",
        recovering("connects anew after a close meanwhile, and rejoins groups"),
      ),
      row(
        "Python: joining, leaving, sending and receiving, blocking and asynchronous",
        pythonClient("joins, leaves, sends and receives"),
      ),
      row(
        "Python: `send_event`, and the answers, blocking and asynchronous",
        pythonClient("sends events, and receives what their handler answers"),
      ),
      row(
        "Python: opening, closing and connecting again, blocking and asynchronous",
        pythonClient("opens, closes and connects again"),
      ),
      row(
        "Python: recovering after a drop, or connecting anew on the other protocol",
        pythonClient("recovers after each drop; all arrives once, in order"),
        pythonClient("connects again after a drop, and joins its groups again"),
      ),
      row(
        "`sendEvent`, and the answer as `server-message`, with ours too",
        express("takes an event and answers it: ${dataType}"),
        express("fails an event with ${code}"),
        operations("reports what was refused: ${operation}"),
      ),
      row(
        "`invokeEvent`",
        invoking("invokes an event, and receives what its handler answers"),
        invoking("reports a failed invocation, and may cancel one"),
      ),
      row(
        "`openGroupStream`, `onGroupStream`",
        streamsOf11("opens a stream, and receives it as its member"),
        ...[
          "Microsoft's ${kind} clients open, write, end and receive streams",
          "Microsoft's ${kind} clients abort streams with an error",
          "Microsoft's ${kind} clients learn of idle and of forbidden streams",
          "Microsoft's ${kind} clients keep parallel streams apart",
          "Microsoft's ${kind} clients end a stream without a fragment",
          "Microsoft's ${kind} receivers that gave up, from the start ${handleFromStart}",
          "Microsoft's ${kind} clients receive own streams unless noEcho",
          "Microsoft's client resumes its streams after a recovery",
        ].map((name) => e2e("clients/streams")(name)),
      ),
    ],
  },
];

/** @param {string} name */
const ours = (name) => testsOf(`tests/client/${name}.test.mjs`);
const [protocols, protobuf, streams, states, servers] = [
  "protocols",
  "protobuf",
  "streams",
  "group-states",
  "server",
].map(ours);
const streaming = testsOf("tests/sdk/client-suite/streaming.mjs", "Our client in Node");
const scenarios = e2e("clients/state-scenarios");
const serverModule = e2e("event-handlers/server-module");
const negotiating = e2e("clients/negotiate");
/** @param {string} name */
const rust = (name) => testsOf(`crates/webpubsub/tests/${name}.rs`);
const types = testsOf("tests/packaging/types.test.mjs");
const besideMicrosoft = testsOf("tests/client/beside-microsoft.test.mjs");

export const ownClients = [
  {
    title: "The client for JavaScript",
    sources: ["docs/spec/sdk.md#streams", "docs/spec/sdk.md#group-states"],
    rows: [
      row(
        "All that `@azure/web-pubsub-client` 1.1.0 exports, by name and type",
        types("all 74 names that Microsoft's client exports are exported"),
      ),
      differs(
        "Calls, results, errors and events, in more than a hundred scenarios beside Microsoft's client",
        "What differs is in the package's README.",
        testsOf("tests/sdk/side-by-side.test.mjs")("each difference is in the package's README"),
      ),
      row(
        "Protocol objects and errors as Microsoft's are, where an application calls and reads them itself",
        besideMicrosoft("each frame is read as Microsoft's protocol reads it"),
        besideMicrosoft("each message is written as Microsoft's protocol writes it"),
        besideMicrosoft("errors have a name of their own, which JSON keeps"),
      ),
      row(
        "Protocols of one's own: text or bytes, one message or several",
        protocols("an own protocol is offered, and writes and reads frames"),
        protocols("frames of one's own protocol may be bytes, both ways"),
        protocols("one frame may bring several messages, or none"),
        protocols("what reading throws is reported, and disturbs nothing"),
      ),
      row(
        "The protobuf subprotocols, reliable or not, as a module of their own",
        protobuf("the protobuf protocols have their names, and load themselves"),
        protobuf("what clients write is what the vectors have"),
        protobuf("what the service sends is read as its JSON would be"),
      ),
      differs(
        "Data of type `protobuf` in those",
        "The bytes of an `Any`, as in the JSON subprotocols; Microsoft's package for protobuf takes an object.",
        protobuf("what clients write is what the vectors have"),
      ),
      row(
        "`openGroupStream`, `onGroupStream`",
        streaming("opens a stream, and receives it as its member"),
        streams("a stream is opened, written and ended, numbered from 1"),
        streams("a recovery sends again what is not acknowledged, in order"),
        streams("a recovery asks after a stream that has nothing to send"),
        streams("what the service did not take is sent again"),
        streams("a listener gets each stream once, and its fragments in order"),
        streams("a silent stream ends with IdleTimeout"),
      ),
      row(
        "`setGroupState`, `clearGroupState`, `subscribeGroupStates`, `getGroupState`, `listGroupStates`",
        streaming("shows a state to those who subscribed, and clears it"),
        states("a snapshot replaces what is known"),
        states("of updates the one with the larger time counts"),
        states("a new connection subscribes again, and knows nothing before"),
        states("a recovery keeps subscriptions, states and the own state"),
      ),
      row(
        "On the server: client URLs, negotiate endpoints and event handlers that check signatures",
        serverModule("a URL that negotiate gives connects with what it says"),
        serverModule("an event handler is asked, notified, and answers"),
        serverModule("a handler that knows another key refuses all events"),
        servers("an event without a signature by a known key is refused"),
      ),
      row(
        "`negotiate` under Express: users, refusals and errors are the application's",
        negotiating("the URL that ${method} gives connects with its roles"),
        negotiating("the callback gets Express' request, and the user from it"),
        negotiating("a caller is refused, in the callback's own words or ours"),
        negotiating("what the callback throws reaches Express' error handler"),
      ),
      row(
        "React hooks, safe in StrictMode",
        testsOf("tests/packaging/frameworks.test.mjs")("React hooks share a client, join a group once, and stop"),
      ),
    ],
  },
  {
    title: "Microsoft's scenarios of group states, with the messages of its client 1.1.0 and with ours",
    sources: ["docs/spec/sdk.md#group-states"],
    rows: [
      row("A state is set, under the caller's ack id", scenarios("${kind} client sets a state under its own ack id")),
      row("A clear leaves out the state", scenarios("${kind} client clears a state by leaving it out")),
      row("A subscription has a snapshot", scenarios("${kind} client subscribes, and gets a snapshot")),
      row(
        "An unsubscription ends changes, and forgets what was known",
        scenarios("${kind} client unsubscribes, and knows nothing more"),
      ),
      row(
        "The own state needs no subscription, and is a copy",
        states("the own state is known once it is set, of a joined group"),
        states("only what is subscribed to can be listed"),
      ),
      row(
        "A clear ends the own state at once, and what is listed with the service's word",
        states("a cleared state is listed until the service says so"),
      ),
      row(
        "What is known stays while it is subscribed to again, until the snapshot",
        scenarios("${kind} client subscribes again, and knows what it knew"),
        states("what is known stays while it is subscribed to again"),
      ),
      row(
        "What is listed is what the service said, as copies",
        scenarios("${kind} client subscribes, and gets a snapshot"),
        states("a snapshot replaces what is known"),
      ),
      row(
        "The own state is not listed before the service says it",
        scenarios("${kind} client lists its own state as the service says it"),
        states("only what is subscribed to can be listed"),
      ),
      row(
        "An update that changes something is an event, and one that does not is none",
        scenarios("${kind} client receives each change of others"),
        states("what changes nothing is no event"),
      ),
      row(
        "A snapshot that changes something is an event, and one that does not is none",
        states("a snapshot replaces what is known"),
        states("what changes nothing is no event"),
      ),
      row(
        "Updates that come are listed",
        scenarios("${kind} client receives each change of others"),
        states("of updates the one with the larger time counts"),
      ),
      row(
        "A connection that is no recovery has its subscriptions made again, and no states",
        scenarios("${kind} client subscribes again on a new connection"),
        states("a new connection subscribes again, and knows nothing before"),
      ),
    ],
  },
  {
    title: "The client for Rust",
    rows: [
      row(
        "Every operation, over JSON and protobuf",
        rust("operations")("every_operation_is_sent_and_acknowledged"),
        rust("operations")("protobuf_carries_the_same_calls"),
        rust("operations")("an_invocation_has_an_answer_or_a_refusal"),
      ),
      row(
        "Recovery after a drop, and a new connection after any other end",
        rust("losses")("a_cut_link_is_recovered_without_a_loss"),
        rust("losses")("every_close_code_is_reported_as_it_came"),
      ),
      row("A call that is dropped leaves nothing", rust("lifecycle")("a_dropped_operation_is_not_tried_again")),
      row(
        "Group streams: sent, received, ended with an error, with bounds on both sides",
        rust("streams")("a_stream_is_sent_and_ends_once_all_is_taken"),
        rust("streams")("a_received_stream_is_read_piece_by_piece"),
        rust("streams")("writes_wait_while_1000_pieces_are_on_their_way"),
        rust("streams")("a_stream_that_is_read_too_slowly_fails"),
      ),
      row("Streams go on after a recovery", rust("streams")("a_recovery_sends_again_what_was_not_taken")),
      row(
        "Group states: set, cleared, listed, and subscribed to again on a new connection",
        rust("group_states")("a_state_is_set_and_cleared"),
        rust("group_states")("the_states_of_a_group_are_known_while_subscribed_to"),
        rust("group_states")("a_new_connection_subscribes_again"),
      ),
    ],
  },
];

const malformed = testsOf("tests/e2e/reliability/malformed.test.mjs");
const mutants = testsOf("crates/webpubsub-fuzz/tests/mutants.rs");

export const robustness = [
  {
    title: "Malformed input",
    rows: [
      row("Requests get an answer below 500", malformed("requests get an answer below 500")),
      row(
        "Frames get an answer, silence, or a close that says why",
        malformed("frames get an answer, silence, or a close that says why"),
      ),
      row(
        "Broken WebSocket framing ends its own connection and no other",
        malformed("broken WebSocket framing ends that connection and no other"),
      ),
      row(
        "No mutant of a known input stops a decoder or holds it up",
        mutants("no_mutant_stops_a_decoder_or_holds_it_up"),
      ),
    ],
  },
];

export const notThere = [
  {
    title: "More events",
    sources: ["docs/spec/cloudevents.md#notifications", "docs/spec/cloudevents.md#event-listeners"],
    rows: [missing("Event listeners (9)", "Not built.")],
  },
];

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
];

const server = testsOf("tests/sdk/microsoft-server.test.mjs");
const python = testsOf("tests/sdk/python.test.mjs");
const https = e2e("operations/https");
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
      row("`getClientAccessToken`", server("makes client URLs that open")),
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
        "Python: sending, asking who is there, client URLs",
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
        own("opens a stream, and receives it as its member"),
        e2e("clients/streams")("Microsoft's client resumes its streams after a recovery"),
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
    rows: [missing("Events of MQTT clients (8)", "Not built."), missing("Event listeners (9)", "Not built.")],
  },
  {
    title: "MQTT",
    rows: [
      missing(
        "MQTT 3.1.1 and 5.0 over WebSocket",
        "Not built: `/clients/mqtt/hubs/{hub}` is 404.",
        testsOf("tests/e2e/clients/handshake.test.mjs")(
          "unknown paths get 404, asked for as a page or as a WebSocket",
          "/clients/mqtt/hubs/chat",
        ),
      ),
    ],
  },
];

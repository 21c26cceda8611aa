// Event handlers, and what an operator sees of them.
import { differs, e2e, missing, native, row, testsOf } from "./row.mjs";

const [
  answers,
  connect,
  crash,
  events,
  failures,
  invoke,
  notifications,
  operator,
  order,
  outage,
  secrets,
  settings,
  ssrf,
  state,
  validation,
  wrongSettings,
] = [
  "answers",
  "connect",
  "crash",
  "events",
  "failures",
  "invoke",
  "notifications",
  "operator",
  "order",
  "outage",
  "secrets",
  "settings",
  "ssrf",
  "state-and-cookies",
  "validation",
  "wrong-settings",
].map((name) => e2e(`event-handlers/${name}`));
const express = testsOf("tests/sdk/express.test.mjs");
const quickstart = testsOf("tests/quickstart/event-handler.test.mjs");
const acks = e2e("clients/acks");
const urls = native("protocol", "tests/vectors_cloud_events");

const asGiven = settings("are shown as they were given");
/** @param {...string} cases */
const wrong = (...cases) => wrongSettings("that are wrong are refused whole, with where: ${what}", ...cases);
/** @param {...string} cases */
const instead = (...cases) => wrongSettings("that only Azure has are refused with what to do: ${what}", ...cases);
/** @param {...string} cases */
const exported = (...cases) => settings("are taken as they are exported, and given back: ${who}", ...cases);
const pattern = events("a pattern asks for users' events by name: ${pattern}");
/** @param {...string} cases */
const passed = (...cases) => validation("is passed by an answer that allows ${what}", ...cases);
/** @param {...string} cases */
const notPassed = (...cases) => validation("is not passed by an answer that allows ${what}", ...cases);
const headers = events("an event has the headers of a CloudEvent and of the service");
const absent = events("what is not there has no header: a user, a subprotocol");
const body = connect("is asked about with all that the client said but credentials");
/** @param {...string} cases */
const letIn = (...cases) => connect("lets a client in as ${what}", ...cases);
/** @param {...string} cases */
const settles = (...cases) => connect("settles on a subprotocol: ${what}", ...cases);
/** @param {...string} cases */
const refusedFor = (...cases) => connect("is refused with 500 for an answer of ${what}", ...cases);
const lifecycle = notifications("a ${kind.name} client is reported as connected, and as gone");
/** @param {...string} cases */
const theEnd = (...cases) => notifications("the end is reported once, with the reason: ${what}", ...cases);
const sent = events("a handler gets what a ${kind.name} client sends: ${dataType}");
/** @param {...string} cases */
const answer = (...cases) => answers("an answer reaches the ${kind.name} client before its ack: ${what}", ...cases);
/** @param {...string} cases */
const noBody = (...cases) =>
  answers("an answer without a body says nothing to the ${kind.name} client: ${what}", ...cases);
/** @param {...string} cases */
const failsAtOnce = (...cases) =>
  answers("an answer fails the event of the ${kind.name} client, at once: ${what}", ...cases);
/** @param {...string} cases */
const again = (...cases) =>
  failures("an event of a ${kind.name} client is tried 4 times, then fails: ${what}", ...cases);
/** @param {...string} cases */
const once = (...cases) => failures("an event of a ${kind.name} client is tried once, and fails: ${what}", ...cases);
const numbered = events("events are numbered from connect's 0 on, and each has an id");
const given = state("is set, changed and cleared by events, and its connection's");
const inOrder = order("is each connection's, and publishes do not wait for it");
const blocking = events("a connection's events wait for each other, and nothing else");

export const eventHandlers = [
  {
    title: "Settings of event handlers",
    sources: ["docs/spec/cloudevents.md#hub-settings", "docs/spec/cloudevents.md#url-templates"],
    rows: [
      row(
        "`anonymousConnectPolicy`, `deny` unless it is `allow`, in any case",
        e2e("operations/management")("a hub's settings are set and removed, and hold from then on"),
        settings("have enumerations of any case"),
      ),
      row(
        "`eventHandlers` is ordered: the first that asks for an event is called, and only that one",
        events("of several handlers the first that wants an event is called"),
      ),
      row(
        "`urlTemplate`: an absolute http or https URL",
        asGiven,
        wrong("a URL without a scheme", "a URL of another scheme", "a URL without a host"),
      ),
      row(
        "`{hub}` and `{event}`, in any case and escaped, anywhere but in the host",
        events("the URL fills in hub and event, escaped, and keeps its query"),
        wrong("a placeholder in the host", "an unknown placeholder"),
      ),
      row("A secret in the URL's query", events("the URL fills in hub and event, escaped, and keeps its query")),
      differs(
        "References to a key vault",
        "Refused when they are set, with what to use instead.",
        instead("a key vault"),
        wrong("a reference to a key vault"),
      ),
      differs(
        "`tunnel://` URLs",
        "Refused when they are set: handlers on one's own machine are called without a tunnel.",
        instead("a tunnel"),
        wrong("the local tunnel of Azure's tool"),
      ),
      row("`userEventPattern`: `*`, one name, or names with commas between; none where it is absent or empty", pattern),
      row("Patterns do not regard case", pattern),
      missing(
        "Wildcards inside names, as earlier runtimes have",
        "Refused when they are set; the newest emulator has none.",
        wrong("a pattern with a name that is none"),
      ),
      row(
        "A pattern asks for no system event, and `systemEvents` for no user's event, whatever its name",
        events("a pattern matches users' events only, by no system name"),
      ),
      row(
        "`systemEvents`: `connect`, `connected`, `disconnected`",
        notifications("only what a handler lists is sent"),
        connect("is not asked about without a handler or for a refused client"),
      ),
      row("`auth` of type `None`", events("a handler's own credentials go with every request")),
      differs(
        "`auth` of type `ManagedIdentity`",
        "Refused when it is set: `Bearer` and `Header` add a static secret, which may be one of the worker's that begin with `HANDLER_SECRET_`.",
        instead("a managed identity"),
        events("a handler's own credentials go with every request"),
      ),
      row(
        "Secrets are never shown",
        secrets("keep secrets hidden, and keep them when given back hidden"),
        ssrf("appear in no log, no error, no delivery and no settings"),
      ),
      row(
        "`groupPresenceEvents`: `joined` and `left`",
        notifications("joins and leaves of groups asked for are sent, by any way"),
      ),
      row(
        "`groupFilters`: names, or patterns with the grammar of wildcard roles; all groups where there is none",
        settings("filter groups with the grammar of wildcard roles"),
        notifications("what changes no membership or is filtered out is not sent"),
      ),
      missing(
        "`eventListeners`",
        "An empty list or `null` is taken, as exports have it; any listener is refused.",
        exported("Azure's REST API", "a template"),
        wrong("listeners"),
      ),
      differs(
        "`webSocketKeepAliveIntervalInSeconds`, 1 to 120",
        "Kept, shown and without effect, as `notes` beside it say: the platform offers no way to send a ping frame.",
        exported("the properties alone"),
        wrong("a keep-alive interval below 1", "a keep-alive interval above 120"),
      ),
      row(
        "Settings as they are exported, `properties` and all, in the emulator's spelling too, and given back as they are shown",
        exported("az webpubsub hub show", "az resource show", "a template", "the emulator"),
      ),
      row(
        "Names in any case; `null` for what is not set, at every level",
        settings("have a null where a value was not set, at every level"),
        wrong("a name that is written twice, in two cases"),
      ),
      row("Settings of the emulator's file", settings("receive each hub's own events, beside Azure's settings")),
      row("Wrong settings are refused whole, with where", wrong("a second handler that is wrong", "an unknown member")),
      row(
        "A change holds for the next connect and the next event",
        settings("hold on every shard once answered, also when taken back"),
      ),
      row(
        "Settings from a file, until an operator says otherwise",
        settings("are called until an operator changes it; both are durable"),
        quickstart(
          'receives a client\'s event and answers: npm run ${runner}, ${shards} ${shards === 1 ? "shard" : "shards"}, its settings by ${by}',
        ),
      ),
    ],
  },
  {
    title: "Abuse protection",
    sources: ["docs/spec/cloudevents.md#validation"],
    rows: [
      row(
        "Before the first event: `OPTIONS`, `{event}` being `validate`, with `WebHook-Request-Origin` and `ce-awpsversion`",
        validation("comes before the first event, which waits, with OPTIONS"),
      ),
      row(
        "`WebHook-Request-Origin` is the host that the client's token names, with its port",
        validation("comes before the first event, which waits, with OPTIONS"),
        express("allows services by the host that clients ask, and no others"),
        e2e("operations/proxy")("has event handlers asked for the host of a client's token"),
      ),
      row(
        "For a client without a token it is the hosts that the operator names, with commas between, of which one is to be allowed",
        e2e("event-handlers/origin")("are what handlers are asked for clients without a token"),
        e2e("event-handlers/origin")("stay as they are, however many hosts are made up"),
      ),
      row(
        "Accepted by 2xx and `WebHook-Allowed-Origin` of `*` or the host, in any case",
        passed("any origin", "the service's host", "the host in another case", "no content"),
        notPassed("no origin", "another host", "everybody, with 400", "everybody, with 500"),
      ),
      row(
        "Several values, or a list",
        passed("a list with the host in it", "several headers, the host in one of them"),
      ),
      row(
        "`WebHook-Request-Callback` and rates are not used",
        validation("comes before the first event, which waits, with OPTIONS"),
      ),
      row(
        "404 is followed by `GET`",
        validation("is asked for with GET where OPTIONS is answered 404"),
        validation("is not passed where GET is answered 404, too"),
      ),
      row("It times out after ten seconds", validation("waits ten seconds for an answer, and no second time")),
      row(
        "Tried again after 1, 3 and 5 s on 408, 5xx and network failure, like every call (6.5)",
        validation("is tried again after ${what}, and the event of a ${kind.name} client succeeds"),
        validation("is tried again after ${what} for connect and notifications"),
        outage("at a validation are as far apart, until the first success"),
      ),
      row(
        "Events that wait for one validation share it",
        validation("is retried once for all that wait, and counts once"),
      ),
      row(
        "The first event waits; the result holds for the URL",
        validation("holds for a URL: connections, events and shards share it"),
      ),
      row(
        "Again after a minute, or after a failure from one second on, doubling to a minute",
        validation("that failed is repeated; its last result counts meanwhile"),
        native(
          "protocol",
          "src/event_handler/validation",
        )("pauses_double_up_to_a_minute_and_start_over_after_a_success"),
      ),
      row(
        "Not accepted: `connect` is 500, notifications are dropped",
        validation("that fails refuses clients with 500 and drops notifications"),
      ),
      row(
        "Not accepted: a user's event fails",
        validation("that is not passed fails the event of a ${kind.name} client"),
      ),
    ],
  },
  {
    title: "Requests to event handlers",
    sources: ["docs/spec/cloudevents.md#requests", "docs/spec/cloudevents.md#signature"],
    rows: [
      row(
        "`POST` with `WebHook-Request-Origin`, `ce-specversion`, `ce-awpsversion`, `ce-type`, `ce-source`, `ce-id`, `ce-time`, `ce-connectionId`, `ce-hub`, `ce-eventName`",
        headers,
      ),
      row(
        "`ce-type` of system events, users' events and presence",
        lifecycle,
        headers,
        notifications("joins and leaves of groups asked for are sent, by any way"),
      ),
      row("`ce-source` has the hub in every event", headers),
      row(
        "`ce-id` counts the connection's events: `connect` 0, `connected` 1, then on, also through recovery",
        numbered,
        events("0 and 1 are kept for connecting that no handler asked for"),
      ),
      row("`ce-time` in UTC, in whole seconds", headers),
      row(
        "`ce-signature` by both keys, in lower-case hexadecimal",
        headers,
        native("auth", "tests/vectors_signatures")("every_connection_has_the_signature_of_its_vector"),
      ),
      row("`ce-userId` where there is one", headers, absent),
      differs(
        "`ce-userId` of a user that is not ASCII",
        "In raw UTF-8, the bytes that the platform sends for it; Azure does not say which. Node (Express) and Python's WSGI servers (Flask) read headers as Latin-1, so that `é` comes as `Ã©`: `Buffer.from(userId, 'latin1').toString()` and `user_id.encode('latin-1').decode()` give the name back.",
        events("a user id has any characters, in UTF-8, and adds no header"),
      ),
      row("No value starts a header", events("a user id has any characters, in UTF-8, and adds no header")),
      row(
        "`ce-subprotocol` where one was selected, and not with `connect`",
        absent,
        body,
        events("the subprotocol has the service's name"),
      ),
      row("`ce-hub` in lower case", headers),
      row(
        "`x-webpubsub-metadata-{key}`, keys in lower case, the last of several",
        events("metadata becomes lower-case headers, the last of a key wins"),
      ),
      row(
        "`x-ms-client-request-id`: a GUID for each event, the same in every attempt",
        headers,
        numbered,
        again("500"),
      ),
      row(
        "`ce-connectionState` of `connect` and users' events is kept verbatim and sent again; absent keeps it, empty clears it",
        state("given with `connect` is sent with every later event, as is"),
        given,
      ),
      differs(
        "The last of several `ce-connectionState` headers",
        "The platform makes one header of several, with commas, and the documents do not allow several.",
        given,
      ),
      row(
        "State outlives recovery and crashes",
        state("is kept through a recovery"),
        state("and cookies survive a recovery, and its numbers go on"),
      ),
      row("Empty state is sent as empty", state("that is empty is sent as empty, also through recoveries")),
      differs(
        "State above 12,288 bytes fails the event, or `connect` with 500",
        "It could not come back in a header: Node.js reads 16 KiB of them.",
        e2e("event-handlers/deliveries")("say of a handler's state at the limit nothing"),
      ),
      row(
        "Cookies of 2xx answers are kept for the connection and sent to URLs that they match",
        state("of cookies: they return with each later event"),
        state("of cookies: they return to the URLs that they are for alone"),
        state("of failed answers is not taken"),
      ),
    ],
  },
  {
    title: "`connect`",
    sources: ["docs/spec/cloudevents.md#connect"],
    rows: [
      row(
        "Asked about only where a handler lists it",
        connect("is not asked about without a handler or for a refused client"),
      ),
      row("`claims`, `query`, `headers`, `subprotocols`, `clientCertificates`, without credentials", body),
      row(
        "Without claims for an anonymous client",
        connect("of an anonymous client has no claims, and may get a user"),
      ),
      row("The client waits for the answer", connect("waits for the answer")),
      row(
        "2xx without a body, or with `null`: as the token says",
        letIn(
          "its token says, by 204",
          "its token says, by 200 and an empty body",
          "its token says, by null",
          "its token says, by another success",
        ),
      ),
      row(
        "Parsed as JSON whatever the content type",
        letIn("JSON of another content type says", "JSON without a content type says"),
      ),
      row(
        "`userId` replaces the token's, an empty one too",
        letIn("another user", "an anonymous user, by an empty user id", "a user whose name is not ASCII"),
      ),
      row(
        "`groups` replace the token's unless they are none",
        letIn("a member of other groups", "a member of its token's groups, by no groups"),
      ),
      row("`roles` replace the token's, none too", letIn("the holder of other roles", "the holder of no roles")),
      row(
        "`subprotocol` is chosen; otherwise the first known one",
        settles(
          "the one that is chosen",
          "the first known one where none is chosen",
          "an unknown one, if it is chosen",
        ),
      ),
      row(
        "A subprotocol that was not offered: 500",
        connect("is refused with 500 for a subprotocol that was not offered"),
      ),
      row(
        "Names in any case; unknown ones are ignored; `null` keeps",
        letIn(
          "names in another case say",
          "its token says, by unknown fields",
          "its token says, by fields that are null",
        ),
      ),
      row(
        "4xx: the client gets the status and the words, and no header",
        connect("is refused with the handler's status and words: ${status}"),
      ),
      row(
        "5xx: the client gets the status, and no words",
        connect("is refused with the handler's last status, not words: ${status}"),
      ),
      row(
        "Invalid JSON, groups, `null` in roles, more than 16 MiB, a redirect: 500",
        refusedFor("half an object", "a group of blanks", "a role that is null", "a body of 17 MiB", "a redirect"),
      ),
      row(
        "Transport errors and timeouts: 500",
        connect("is refused with 500 by a handler that at last ${what}"),
        connect("is refused with 500 by a handler that ${what}"),
        connect("is refused with 500 where no handler answers"),
      ),
      row(
        "Anonymous connections are accepted without a user id from either side",
        connect("of a simple client without a user is asked without either"),
      ),
    ],
  },
  {
    title: "Notifications",
    sources: ["docs/spec/cloudevents.md#notifications"],
    rows: [
      row(
        "`connected` with `{}` after the upgrade of a new connection, never on recovery",
        lifecycle,
        notifications("a recovered connection is reported neither new nor gone"),
      ),
      row(
        "The connection, its user and its groups can be addressed when `connected` is sent",
        notifications("its connection, user and groups can be addressed by then"),
      ),
      row(
        "`disconnected` once, when the connection is finally removed; for a lost reliable one after its window",
        theEnd("a reliable client that does not come back", "a reliable client's own end"),
      ),
      row(
        "Only of connections that were established",
        notifications("a client that was never let in is never reported as gone"),
      ),
      row(
        "`joined` and `left` with the group",
        notifications("joins and leaves of groups asked for are sent, by any way"),
      ),
      row("`application/json; charset=utf-8`", lifecycle),
      row(
        "The answer is of no consequence; a failure is logged only",
        notifications("what a handler says to them is of no consequence"),
      ),
      row(
        "Delivered though the client is gone, through crashes too",
        crash("every connection that it ended is reported as gone, once"),
        crash("what was pending is sent in order once a handler is back"),
      ),
      row(
        "`connected` before any user's event, `disconnected` last",
        inOrder,
        notifications("they come in order, connected first and disconnected last"),
      ),
      row(
        "Reasons: the client's words, a server's wish, the end of the window, the protocol's text",
        theEnd(
          "the client's words",
          "no words",
          "a server's wish",
          "a server's wish, and its reason",
          "a server's reason of 200 characters",
          "what is no message",
          "a reliable client that does not come back",
        ),
      ),
    ],
  },
  {
    title: "Users' events",
    sources: [
      "docs/spec/cloudevents.md#user-events",
      "docs/spec/cloudevents.md#order-of-user-events",
      "docs/spec/cloudevents.md#answers",
      "docs/spec/cloudevents.md#failed-events",
      "docs/spec/cloudevents.md#retries",
    ],
    rows: [
      row("Text, JSON, binary and protobuf with their content types, as the client sent them (6.1)", sent),
      row(
        "Simple clients send `message` (6)",
        sent,
        express("takes events of simple clients, which are called `message`"),
      ),
      row(
        "One after the other for each connection, side by side for different ones; nothing else waits (6.2)",
        blocking,
        events("a simple client's next frame waits for the one before it"),
        inOrder,
      ),
      row(
        "204, or 2xx without a body: nothing extra (6.3)",
        noBody("204", "200 and an empty body", "an empty body of an unknown type"),
      ),
      row(
        "2xx with text, JSON, bytes or an `Any`; without a content type bytes (6.3)",
        answer(
          "text",
          "JSON, letter for letter",
          "bytes",
          "bytes without a content type",
          "an Any",
          "text with another success",
        ),
      ),
      row(
        "Parameters of the content type do not count; text in its charset (6.3)",
        answer("text with a charset", "text of another charset"),
      ),
      row(
        "Any other content type is a failure (6.3)",
        failsAtOnce("an unknown content type", "a content type that is none"),
      ),
      row("To the connection that sent the event only, before its ack (6.3)", answer("text")),
      row(
        "`x-webpubsub-metadata-*` becomes metadata, without a body beside an empty text (6.3)",
        answers("an answer's metadata goes with the ${kind.name} client's message"),
      ),
      row(
        "The last of several metadata headers, and of one what comes after its last comma (6.3)",
        answers("an answer's metadata goes with the ${kind.name} client's message"),
      ),
      row(
        "An answer may have 16 MiB (6.3)",
        answers("an answer of 15 MiB reaches a client that may have it"),
        failsAtOnce("17 MiB"),
      ),
      row(
        "A failure is `InternalServerError` with an ack id, nothing without, and 1011 for simple clients; the connection stays and the id is free (6.4)",
        failsAtOnce("400", "404"),
        failures("without an ack id a failure is silent, and the next is sent"),
      ),
      row(
        "An event that no handler asks for fails (6.4)",
        events("an event that no handler asks for fails, of a ${kind.name} client"),
        acks("an event without a handler gets an error and closes nothing"),
      ),
      row("State is not changed by a failed event (6.4)", given),
      row(
        "Retried: network errors, 408, 5xx; at most four attempts, the same each time (6.5)",
        again("500", "503", "408", "a connection that is reset", "an answer that breaks off"),
        failures("a ${kind.name} client's event succeeds with the first that does"),
      ),
      row("Not retried: other answers, 429 among them (6.5)", once("400", "404", "429", "302")),
      row("After 1, 3 and 5 seconds (6.5)", outage("are 1, 3 and 5 s apart unless the operator says otherwise")),
      row(
        "A call is given up when its connection is gone",
        e2e("event-handlers/gone")("for a ${kind.name} client are given up when it is gone"),
        e2e("event-handlers/gone")("are not made again when the connection is gone"),
        e2e("event-handlers/gone")("are made for what came before the end, each once, in order"),
      ),
      differs(
        "A client that hangs up while `connect` is asked about",
        "The platform sees no client go that only ends its side of the transport; its handler is asked to the end.",
        e2e("event-handlers/gone")("about connecting are given up when the client hangs up"),
      ),
      row(
        "`connect` and notifications are retried too (6.5)",
        connect("is asked about again until it is answered"),
        notifications("what a handler did not take is sent again, number unchanged"),
      ),
      differs(
        "100 seconds for an event with its attempts, up to the head of the answer, and no repetition after them (6.5)",
        "The body has to come in that time, too. Notifications are sent again after an even share of it.",
        failures("an event of a ${kind.name} client that gets ${what} is not repeated"),
        native("shard", "tests/event_calls")("an_answer_may_take_all_the_time_that_an_event_has"),
        native("shard", "tests/event_calls")("each_attempt_at_a_notification_has_an_even_share_of_the_time"),
      ),
    ],
  },
  {
    title: "Blocking and not",
    sources: ["docs/spec/cloudevents.md#blocking-events"],
    rows: [
      row(
        "`connect` and users' events block, notifications do not",
        connect("waits for the answer"),
        blocking,
        notifications("what a handler says to them is of no consequence"),
      ),
      row(
        "State of notifications' answers is not taken",
        notifications("what a handler says to them is of no consequence"),
      ),
    ],
  },
  {
    title: "Event handlers beyond Azure's",
    sources: ["docs/spec/cloudevents.md#public-hosts"],
    rows: [
      row(
        "A URL that fails five times in a row is left alone for ten seconds, and found again",
        outage("of a handler that ${what}: 4 attempts, a pause, then found again"),
        native("shard", "tests/event_calls")("a_breaker_opens_for_ten_seconds_and_lets_one_probe_through"),
      ),
      row(
        "Six calls of a shard at once, a hundred on the native server, in turn by connection; a thousand waiting events of a connection, 16 MiB of a shard",
        inOrder,
        native("shard", "tests/event_calls")("at_most_six_calls_are_under_way_and_connections_take_turns"),
        native("shard", "tests/event_calls")("a_hundred_calls_are_under_way_where_sockets_end_with_memory"),
        native("shard", "tests/event_calls")("a_thousand_events_of_a_connection_wait_and_one_more_fails"),
        native("shard", "tests/event_calls")("sixteen_mebibytes_of_a_shards_events_wait_and_more_fail"),
      ),
      row(
        "Only public handlers with TLS, unless the operator allows others, in every notation of an address",
        ssrf("are at no address that is not public: ${what}"),
        ssrf("have TLS"),
        ssrf("are anywhere else"),
        ssrf("are not called at private addresses that were once allowed"),
        urls("every_url_is_judged_as_its_vector_says"),
      ),
      row(
        "Deliveries say by kind why an answer is of no use",
        e2e("event-handlers/deliveries")("of a user event say its kind: ${what}"),
        e2e("event-handlers/deliveries")("of connect say its kind: ${what}"),
        e2e("event-handlers/deliveries")("of a handshake say its kind: one ${what}"),
      ),
      row(
        "The last deliveries of a hub, without payloads and secrets",
        operator("show each attempt delivered, newest first, and no content"),
        operator("show the last ${KEPT} deliveries of a hub, of all its shards"),
      ),
      row("A handler can be tested, in words", operator("can be tested: handshake and signed sample, step by step")),
    ],
  },
  {
    title: "Microsoft's Express middleware",
    sources: ["docs/spec/cloudevents.md#express-middleware"],
    rows: [
      row("Its default path, and paths under it (1)", express("is found at its own path and those under it only")),
      row(
        "`ce-awpsversion` and `WebHook-Request-Origin` in handshakes and events (2, 3)",
        validation("comes before the first event, which waits, with OPTIONS"),
        headers,
        express("takes everything where it has nothing to say"),
      ),
      row(
        "What it does not handle fails (4)",
        express("is found at its own path and those under it only"),
        express("takes no protobuf, so that such an event fails"),
      ),
      row("`onConnected`, `onDisconnected` (5)", express("receives `connected` and `disconnected`")),
      row("`onGroupJoined`, `onGroupLeft` (5)", express("receives who joins and leaves a group")),
      row(
        "`handleConnect`: `success`, with and without fields (6)",
        express("accepts a client with its user, groups, roles and state"),
        express("accepts a client without a word about it"),
      ),
      row("`handleConnect`: `fail` with 400, 401, 500 (6)", express("refuses a client with ${code}")),
      row(
        "`handleUserEvent`: `success` with text, JSON and binary, `fail` (6)",
        express("takes an event and answers it: ${dataType}"),
        express("fails an event with ${code}"),
      ),
      row("`setState` (7)", express("keeps state on a connection, changes it, and leaves it alone")),
      row("`allowedEndpoints` (8)", express("allows services by the host that clients ask, and no others")),
    ],
  },
  {
    title: "Invocations",
    sources: ["docs/spec/client.md#invocations"],
    rows: [
      row(
        "`invoke` reaches the handler as the event that it names",
        invoke("reach the handler as the event that they name"),
      ),
      row(
        "Success: `invokeResponse` with the answer, or without data",
        invoke("are answered with what the handler says: ${what}"),
        invoke("are answered without data where the handler sends none"),
      ),
      row(
        "Failure: `success: false`, `InternalServerError`",
        invoke("fail as an event does: ${what}"),
        invoke("that no handler asks for fail"),
      ),
      row(
        "`cancelInvocation`: no answer, and unknown ids are ignored",
        invoke("that are cancelled are not answered, and free their ids"),
      ),
      row("An id that is pending: `BadRequest`", invoke("have ids that are unique while they are pending")),
      row(
        "No sequence ids, and nothing is kept for who is away",
        invoke("have no sequence ids, and their answers are not kept"),
      ),
      row("On protobuf", invoke("of protobuf clients")),
    ],
  },
];

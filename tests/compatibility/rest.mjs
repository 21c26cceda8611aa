// The REST API.
import { differs, e2e, missing, native, row, testsOf } from "./row.mjs";

const [auth, errors, existence, filters, token, operations, send, permissions, settings] = [
  "rest/auth",
  "rest/errors",
  "rest/existence",
  "rest/filters",
  "rest/generate-token",
  "rest/operations",
  "rest/send",
  "clients/permissions",
  "operations/settings",
].map(e2e);

const status = operations("each operation has its status, however often it is asked");
const withoutReceivers = operations("what needs no connection succeeds without one");
const notFound = operations("what needs a connection gets 404 that names what is missing");
const exists = existence("what exists gets 200, what does not 404 and a code");
const sends = send("to all, a group, a user or a connection, and no others");
const sendsToNone = send("a publish without receivers is no error");
const closes = operations("closing a user or a group spares excluded and all others");
const reason = operations("a reason of 200 characters reaches readers and closes alike");
const contentTypes = send("the content type decides how the body is delivered");
const versions = errors("every version serves all; the newest where none is named");
const order = errors("then version, time to live and filter, content type, body");
const audience = auth("the audience is the request's URL or one below, any scheme");
const otherAudience = auth("any other audience gets 401");
const keys = auth("key, algorithm and times are checked");
const pages = operations("a page of members links to the next one, until the last");
const granted = permissions("a client ${who} is allowed what its row says, and REST agrees (${protocol})");
const unknownGranted = permissions("an unknown connection gets no grant; revoking is no error");
const refusedBulk = operations("changes that make no sense are refused, and change nothing");
const wishes = token("wishes that cannot be granted get 400");
const picked = filters("a filter picks the connections that its vector says");
const refusedFilter = filters("an invalid filter is refused in its vector's words");
const vectors = native("protocol", "tests/vectors_filters");

const proxy = e2e("operations/proxy");
const connection = e2e("rest/one-connection");

export const rest = [
  {
    title: "Versions",
    sources: ["docs/spec/rest.md#versions"],
    rows: [
      row("`2021-10-01` to `2024-12-01`, each with all operations", versions),
      row("The previews of 2021 and 2022, as aliases", versions),
      row("None named: the newest", versions),
      row("An unknown one, a list, or several: 400", versions),
      row("`api-supported-versions` in every response", errors("every answer names the versions that there are")),
    ],
  },
  {
    title: "Names in paths",
    sources: ["docs/spec/rest.md#names-in-paths"],
    rows: [
      row("Invalid hubs, groups, users and connections: 400", errors("names that are none get 400")),
      differs(
        "Users, groups and connections may be named `.` and `..`",
        'They are refused with words: URLs resolve them, so Microsoft\'s `sendToUser("..")` is a call to everybody.',
        errors("names that URLs resolve get 400 and words"),
        errors("a call about a user that URLs resolve changes nothing"),
      ),
      row(
        "Hubs in any case, all else in its own",
        errors("a trailing slash and the case of API words do not matter"),
        exists,
      ),
      differs(
        "Escapes are decoded once, and `+` is a `+`",
        "`%2F` is a slash, so names with one can be addressed; Azure leaves it as it is.",
        send("names are decoded once, and a plus is a plus"),
      ),
    ],
  },
  {
    title: "Authentication",
    sources: ["docs/spec/rest.md#authentication"],
    rows: [
      row("HS256 with either key", keys, e2e("clients/token")("the secondary key signs as well as the primary")),
      row("`exp` is required, `nbf` honoured, with five minutes for clocks", keys),
      row("`aud` is the request's URL or one below it", audience, otherAudience),
      row("Its scheme may be any of the web's, its query and its case do not count", audience, otherAudience),
      row("A prefix of the URL is no audience", otherAudience),
      row("`aud` may be one of several", audience),
      row(
        "Accepted hosts behind a proxy are the operator's to name",
        settings("hosts that are accepted are audiences too, and no others"),
        auth("a proxy's headers open only hosts that the operator allows"),
      ),
      row(
        "The service is where its caller's token says: in links to next pages and in generated tokens",
        proxy("leaves Microsoft's server package its lists of many pages"),
        proxy("leaves a link to the next page its caller's scheme and host"),
        proxy("has generated tokens name the public URL, and open it"),
      ),
      row("`Bearer` in any case", auth("the scheme is Bearer, in any case")),
      row("Other claims do not matter", keys),
      missing("Entra ID", "Not built: 401. Use an access key.", otherAudience),
      row(
        "The next request on a connection works, whatever became of the one before and its body",
        connection("the next request works after ${what}"),
        connection("the next request works after a message that is too long"),
      ),
      row(
        "`Expect: 100-continue`, HTTP/1.0, whole URLs as targets, `OPTIONS *`",
        connection("100 comes for what is taken; nothing refused is sent"),
        connection("HTTP/1.0 is answered, and its connection ends"),
        connection("HTTP/1.0 needs no host on the native server"),
        connection("a target may be a whole URL, authorised as its path"),
        connection("a target that is no path is nothing that is served"),
      ),
      row(
        "A failure is 401, before anything else is looked at",
        errors("a token is looked at before anything else"),
        operations("none of it is done without a token"),
      ),
      differs(
        "Its body is empty",
        "`WWW-Authenticate: Bearer`, and an error body whose message says which check failed.",
        auth("a refusal says in answer and log which check failed"),
      ),
    ],
  },
  {
    title: "Errors",
    sources: ["docs/spec/rest.md#errors"],
    rows: [
      row(
        "Bodies of `code`, `message`, `target`, `details`, `innererror`, and `x-ms-error-code`",
        notFound,
        refusedBulk,
      ),
      row("Answers to `HEAD` have the code in the header only", exists, notFound),
      row(
        "`Error.BadRequest` (400) with the parameter that is wrong as `target`",
        refusedBulk,
        operations("sizes of pages and numbers of members that are none get 400"),
      ),
      row(
        "A filter that is none: `application/problem+json` with `errors`, `target` as it is spelled in the query or in the body",
        errors("an invalid filter gets 400, and an empty one is none"),
        errors("an invalid filter in a body is answered as in the query"),
        testsOf("tests/sdk/microsoft-server.test.mjs")("reads a filter's fault from the error, as live tests do"),
      ),
      row(
        "A permission without `targetName`: 400, target `Request`, in Azure's words",
        errors("a permission without a group gets 400 as on Azure"),
      ),
      row("`Error.Connection.NotExisted` (404), `Error.User.NotExisted` (404)", notFound),
      row("`Info.Connection.NotExisted` (404)", unknownGranted, granted),
      row("`Warning.Connection.NotExisted`, `Warning.User.NotExisted`, `Warning.Group.NotExisted` (404)", exists),
      row(
        "`Error.Connection.Conflict` (409)",
        permissions("the 1001st group of a permission is 409 and changes nothing"),
      ),
      row("415 for a content type", send("other content types get 415, and nothing is sent")),
      row(
        "Azure's texts: not a valid JSON, Content-Length, hub name, group name",
        send("JSON that is none gets 400"),
        send("a body of 1 MiB is accepted, one byte more gets 400"),
        errors("names that are none get 400"),
      ),
      row(
        "Unknown paths get 404, other methods 405",
        errors("unknown paths get 404 with a body"),
        errors("methods that a path does not know get 405 and its methods"),
      ),
      missing("429 for throttling", "Not built for REST."),
    ],
  },
  {
    title: "Bodies of messages",
    sources: ["docs/spec/rest.md#message-bodies"],
    rows: [
      row("`text/plain` in any charset: text", contentTypes),
      row(
        "`application/json` in any charset: JSON, letter for letter",
        contentTypes,
        send("JSON is delivered letter for letter"),
      ),
      row("JSON that is none: 400", send("JSON that is none gets 400")),
      differs(
        "`null` is JSON",
        "400: clients would drop it without a word.",
        send("JSON null gets 400, since clients drop it without a word"),
      ),
      row("`application/octet-stream`, or none: binary", contentTypes),
      row(
        "Others, unknown charsets, malformed ones: 415, and nothing is sent",
        send("other content types get 415, and nothing is sent"),
      ),
      row(
        "1 MiB, with a length or without",
        send("a body of 1 MiB is accepted, one byte more gets 400"),
        send("a body without a length is read as it comes, up to the limit"),
      ),
      row("Empty text and binary", contentTypes),
      row(
        "`X-WebPubSub-Metadata-{key}`, with the limits of clients' metadata",
        send("metadata headers ride beside the data, in lower case"),
        send("metadata that breaks a rule gets 400, and nothing is sent"),
      ),
      row(
        "Of several values of a metadata header the last, and of one what comes after its last comma",
        send("of several values of a metadata header the last counts"),
      ),
      row(
        "`messageTtlSeconds`: 0 to 300, after which a copy is not sent again",
        send("a time to live is 0 to 300 whole seconds"),
        e2e("reliability/recovery")("copies whose time to live is over leave gaps in the numbers"),
      ),
      row("202 with an empty body, with receivers or without", sends, sendsToNone),
      row(
        "Checked in order: token, version and path, time to live and filter, content type, body",
        errors("a token is looked at before anything else"),
        order,
      ),
    ],
  },
  {
    title: "Operations",
    sources: ["docs/spec/rest.md#operations"],
    rows: [
      row("1. `HEAD /api/health`, and `GET`", errors("health needs no token")),
      row("2. `POST …/:generateToken`", token("a token made by the service opens a connection as asked for")),
      row("3. `POST …/:send`", sends, sendsToNone),
      row("4. `POST …/:closeConnections`", reason, withoutReceivers),
      row(
        "5. `POST …/:addToGroups`",
        status,
        operations("without a filter, or with an empty one, all join groups"),
        withoutReceivers,
      ),
      row(
        "6. `POST …/:removeFromGroups`",
        status,
        operations("receivers are known before any change, however many groups"),
        withoutReceivers,
      ),
      row("7. `HEAD …/connections/{id}`", exists),
      row("8. `DELETE …/connections/{id}`", status, withoutReceivers),
      row("9. `POST …/connections/{id}/:send`", sends, sendsToNone),
      row("10. `DELETE …/connections/{id}/groups`", status, withoutReceivers),
      row("11. `HEAD …/groups/{group}`", exists, existence("a group is there from the first member to the last")),
      row("12. `POST …/groups/{group}/:send`", sends, sendsToNone),
      row("13. `POST …/groups/{group}/:closeConnections`", closes, withoutReceivers),
      row("14. `GET …/groups/{group}/connections`", pages, withoutReceivers),
      row("15. `PUT …/groups/{group}/connections/{id}`", status, notFound),
      row("16. `DELETE …/groups/{group}/connections/{id}`", status, withoutReceivers),
      row("17. `HEAD …/users/{user}`", exists, existence("a user is there as long as one connection is")),
      row("18. `POST …/users/{user}/:send`", sends, sendsToNone),
      row("19. `POST …/users/{user}/:closeConnections`", closes, withoutReceivers),
      row(
        "20. `PUT …/users/{user}/groups/{group}`, 404 for a user who is not there",
        status,
        operations("a user's groups are those of its present connections"),
        notFound,
      ),
      row("21. `DELETE …/users/{user}/groups/{group}`", status, withoutReceivers),
      row("22. `DELETE …/users/{user}/groups`", status, withoutReceivers),
      row("23. `PUT …/permissions/{permission}/connections/{id}`", granted, unknownGranted),
      row("24. `HEAD …/permissions/{permission}/connections/{id}`", granted, unknownGranted),
      row("25. `DELETE …/permissions/{permission}/connections/{id}`", granted, unknownGranted),
      row("No body on success but for 2 and 14", status, sends, exists),
      row("All of them may be asked for again, as SDKs do", status),
      row(
        "A reliable connection that is away is there: it exists, joins, leaves, is listed, is sent to and closed",
        operations("an absent reliable connection is there until it is closed"),
      ),
      row("Beside them, `GET /api/openapi.json` describes them", operations("the API describes itself to everybody")),
    ],
  },
  {
    title: "What operations do",
    sources: [
      "docs/spec/rest.md#sending-and-closing",
      "docs/spec/rest.md#groups-and-permissions",
      "docs/spec/rest.md#members-of-a-group",
    ],
    rows: [
      row('Sends to all, users and connections are `from: "server"`, to groups `from: "group"` without a user', sends),
      row(
        "Every kind of client receives them in its own way",
        e2e("clients/delivery")("a server's publish reaches all, the group and the user"),
        e2e("clients/protobuf")("a server's messages of every type arrive"),
      ),
      row(
        "`excluded` spares connections, but not where a user is sent to",
        send("excluded connections receive nothing"),
        send("all of a user's connections receive, and none is excluded"),
      ),
      row(
        "`filter` on sends to all, a group, a user",
        errors("an invalid filter gets 400, and an empty one is none"),
        picked,
        testsOf("tests/sdk/microsoft-server.test.mjs")("leaves out connections that are excluded or filtered out"),
      ),
      row("A close: `disconnected` with the reason, then 1000", reason),
      row("Without a `reason`, the general text", status),
      row("Closes spare the `excluded`", closes, reason),
      row(
        "A user's operations concern its connections of now",
        operations("a user's groups are those of its present connections"),
      ),
      row(
        "Bulk: JSON only (415), an object with valid `groups`, repeated or not, of any number",
        refusedBulk,
        operations("receivers are known before any change, however many groups"),
      ),
      row(
        'Bulk: no filter, `null` and `""` are everybody, a blank one is invalid',
        operations("without a filter, or with an empty one, all join groups"),
        refusedBulk,
      ),
      row(
        "Bulk: all is checked and everybody chosen before anything changes",
        refusedBulk,
        operations("receivers are known before any change, however many groups"),
      ),
      row(
        "A group is there as long as it has a member",
        existence("a group is there from the first member to the last"),
      ),
      row(
        "`sendToGroup` and `joinLeaveGroup` in any case, `1` and `2`; others 400",
        operations("a permission has two names, in any case, and two numbers"),
      ),
      row("`targetName` is required", permissions("a server's target is one group by its letters, and required")),
      row(
        "`maxpagesize` 1 to 200 (200), `top` 1 to 2147483647",
        operations("sizes of pages and numbers of members that are none get 400"),
        operations("a page holds 200 members by default"),
      ),
      row("`value` and `nextLink`, `userId` or `null`; a missing group is empty", pages, withoutReceivers),
      row("`nextLink` is absolute and repeats the version, `maxpagesize`, what is left of `top` and the token", pages),
      row(
        "Sorted by connection id, going on after the last even if it is gone",
        operations("a list goes on after its last member, even if that left"),
      ),
      row(
        "A continuation token is good for its hub and group only",
        operations("a continuation token fits its list only and is unforgeable"),
      ),
    ],
  },
  {
    title: "Tokens made by the service",
    sources: ["docs/spec/rest.md#tokens-for-clients"],
    rows: [
      row(
        "`userId`, `role`, `group`, `minutesToExpire`",
        token("a token made by the service opens a connection as asked for"),
      ),
      row(
        "By default no user, no roles, no groups, 60 minutes",
        token("without parameters it names no user and lives for an hour"),
      ),
      row("An invalid group, time or `clientType`: 400", wishes),
      row(
        "`aud` names the hub in lower case, and `nbf` and `iat` are now",
        token("the audience names the hub in lower case and its path"),
        token("without parameters it names no user and lives for an hour"),
      ),
      row(
        "`clientType=MQTT` has the audience of MQTT clients",
        token("the audience names the hub in lower case and its path"),
      ),
      differs(
        "The content type that is accepted",
        "Always `application/json`.",
        token("it comes as application/json, whatever is accepted"),
      ),
      row(
        "An access key may ask",
        token("a token made by the service opens a connection as asked for"),
        token("only whoever holds the key may ask"),
      ),
    ],
  },
  {
    title: "Filters",
    sources: [
      "docs/spec/rest.md#filters",
      "docs/spec/rest.md#filter-identifiers",
      "docs/spec/rest.md#filter-grammar",
      "docs/spec/rest.md#filter-functions",
      "docs/spec/rest.md#filter-evaluation",
      "docs/spec/rest.md#filter-errors",
    ],
    rows: [
      row(
        "`userId`, `connectionId`, `groups`, `protocol`, in any case",
        picked,
        filters("a filter picks by id, by groups and by subprotocol"),
      ),
      row("`and`, `or`, `not`, comparisons, `in`, parentheses, literals", picked),
      row(
        "`tolower`, `toupper`, `trim`, `substring`, `concat`, `contains`, `startswith`, `endswith`, `indexof`, `length`, in any case",
        picked,
      ),
      row("Strings compare by their characters and their case; `null` is neither above nor below", picked),
      row("String functions of `null`", picked),
      row("`concat` of `null` and a string is `null`", picked),
      row("Types are checked before anybody is looked at, and the whole is a boolean", refusedFilter),
      row("Azure's texts for what is wrong", operations("the answer says what is wrong with a filter"), refusedFilter),
      row(
        "The published cases",
        picked,
        filters("a filter picks by id, by groups and by subprotocol"),
        vectors("every_filter_picks_the_connections_that_its_vector_says"),
      ),
      row(
        "100 levels deep",
        vectors("every_filter_picks_the_connections_that_its_vector_says", "100 parentheses"),
        vectors("everything_else_is_refused_in_the_words_of_its_vector", "101 parentheses"),
      ),
    ],
  },
];

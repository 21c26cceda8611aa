// Roles and permissions.
import { e2e, native, row } from "./row.mjs";

const permissions = e2e("clients/permissions");
const inRoles = e2e("clients/roles");
const shard = native("shard", "tests/permissions");

const table = permissions("a client ${who} is allowed what its row says, and REST agrees (${protocol})");
const patterns = inRoles("patterns match as the published table says");
const invalid = inRoles("invalid or too many patterns grant nothing, the others hold");
const roles = inRoles("role strings mean what they say, letter for letter");
const scenario = permissions("a revoked right is gone until granted; members stay (${protocol})");
const target = permissions("a server's target is one group by its letters, and required");
const users = permissions("each connection of a user has its own permissions (${protocol})");
const away = permissions("changes before and during an absence count after it (${protocol})");
const again = permissions("a refused ack id succeeds after a grant (${protocol})");
const member = permissions("a member without a role only receives from its group (${protocol})");
const limit = permissions("the 1001st group of a permission is 409 and changes nothing");
const unknownConnection = permissions("an unknown connection gets no grant; revoking is no error");

export const rolesAndPermissions = [
  {
    title: "Who may do what",
    sources: ["docs/spec/permissions.md#who-may-do-what"],
    rows: [
      row(
        "Without a role: events, `ping` and `sequenceAck`, and nothing else",
        permissions("events, pings and sequence acks need no role"),
        table,
      ),
      row("`joinGroup` and `leaveGroup` need *joinLeaveGroup* for the group", table),
      row("`sendToGroup` needs *sendToGroup* for the group, and no membership", table),
      row(
        "So does a simple client that publishes its frames",
        permissions("a simple client's frames need a permission, or get 1008"),
      ),
      row("Members receive from their groups, whatever they may do", member),
      row("Being put into a group by a token or a server grants nothing", member),
      row(
        "Servers may do everything",
        e2e("rest/operations")("each operation has its status, however often it is asked"),
      ),
      row(
        "Denied: `Forbidden` with an ack id, silence without",
        e2e("clients/groups")("without a role nothing is allowed, and the ack says what"),
        e2e("clients/groups")("what is refused without an ack id is refused in silence"),
      ),
      row(
        "Streams need what `sendToGroup` needs",
        native("shard", "tests/streams")("a_start_without_permission_is_forbidden"),
      ),
      row(
        "Setting a group state needs membership; subscribing needs it, or what joining needs",
        e2e("clients/group-states")("who may set and subscribe, and what is too much"),
      ),
    ],
  },
  {
    title: "Roles",
    sources: ["docs/spec/permissions.md#roles"],
    rows: [
      row("`webpubsub.sendToGroup`, `webpubsub.joinLeaveGroup`: all groups", roles, table),
      row("`webpubsub.sendToGroup.{group}`, `webpubsub.joinLeaveGroup.{group}`: one group, dots and all", roles, table),
      row("`webpubsub.sendToGroups.{pattern}`, `webpubsub.joinLeaveGroups.{pattern}`: all that match", roles, table),
      row("Roles are case-sensitive, and unknown ones ignored", roles),
      row("`webpubsub.sendToGroup.*` is the group `*`", roles),
      row("Roles add up", roles),
      row(
        "Roles in the answer to the `connect` event replace the token's",
        e2e("event-handlers/connect")(
          "lets a client in as ${what}",
          "the holder of other roles",
          "the holder of no roles",
        ),
      ),
    ],
  },
  {
    title: "Patterns",
    sources: ["docs/spec/permissions.md#patterns"],
    rows: [
      row("`?`: one character but `.`", patterns),
      row("`*`: any characters but `.`", patterns),
      row("`**` and longer: any characters", patterns),
      row("`\\` before `*`, `?` and `\\`", patterns),
      row("All else is itself, case-sensitive, and the whole name has to match", patterns),
      row("1024 characters", invalid),
      row("5 wildcards, `**` being one", invalid),
      row("10 patterns for each permission", invalid),
      row("1000 single groups for each permission", limit),
      row("Invalid and surplus patterns are skipped and logged; the connection is not refused", invalid),
      row(
        "A pattern takes the place of single groups that it covers",
        shard("single_groups_that_a_pattern_covers_do_not_count"),
      ),
    ],
  },
  {
    title: "Granting and revoking",
    sources: ["docs/spec/permissions.md#granting-and-revoking"],
    rows: [
      row("Grant: 200, as often as one likes", table, scenario),
      row(
        "Revoke: 204, as often as one likes; it beats every role for that group, and no other group",
        table,
        scenario,
      ),
      row("Check: 200 or 404, for what the client may do in fact", table),
      row("An unknown connection: 404, 404 and 204", unknownConnection),
      row(
        "The 1001st single group: 409, and nothing changes",
        limit,
        shard("the_1001st_single_group_is_a_conflict_that_stores_nothing"),
      ),
      row("`targetName` is one group by its letters", target),
      row("A missing, blank or too long `targetName`: 400", target),
      row("It counts at once, and members stay members", scenario),
      row("It outlives hibernation", shard("permissions_hold_in_every_subprotocol_and_outlive_memory")),
      row("It outlives recovery, and can be changed while the client is away", away),
      row("It ends with the connection", users, shard("two_connections_of_one_user_have_permissions_of_their_own")),
      row("The two permissions have nothing to do with each other", table, limit),
    ],
  },
  {
    title: "Scenarios",
    sources: ["docs/spec/permissions.md#scenarios"],
    rows: [
      row("1. Revoking both permissions of one group under wildcard roles", scenario),
      row("2. Granting them again, one after the other", scenario),
      row("3. Granting while a client is away, and recovery", away),
      row("4. Two connections of one user", users),
      row("5. No role, and a message to a group of the token", member),
      row("6. The same ack id after a grant", again),
    ],
  },
];

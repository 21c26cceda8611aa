//! What a client may do to groups: its roles, and what servers grant and revoke.
#![expect(clippy::expect_used, clippy::panic, reason = "a broken expectation is a failed test")]

use webpubsub_protocol::client::{AckError, DownstreamMessage, Echo, Encoding, Subprotocol, UpstreamMessage};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::{Metadata, TimeToLive};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::role::PermissionType::{self, JoinLeaveGroup, SendToGroup};
use webpubsub_shard::{Command, ConnectRequest, Input, Permission, Reply, Slot, Target};
use webpubsub_testkit::{TestShard, group, json, text};

const GROUPS: [&str; 5] = ["room", "room-1", "room.one", "Room", "other"];

const SUBPROTOCOLS: [Subprotocol; 4] =
    [Subprotocol::Json, Subprotocol::JsonReliable, Subprotocol::Protobuf, Subprotocol::ProtobufReliable];

/// A stage in a client's life: what a server does first, and which groups the client may join and
/// leave, and send to, from then on.
struct Stage {
    changes: &'static [(Change, PermissionType, &'static str)],
    join: &'static [&'static str],
    send: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Change {
    Grant,
    Revoke,
}

/// Clients by their roles.
const CLIENTS: [(&[&str], &[Stage]); 5] = [
    (&[], &[Stage { changes: &[], join: &[], send: &[] }]),
    (
        &["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"],
        &[Stage { changes: &[], join: &GROUPS, send: &GROUPS }],
    ),
    (
        &["webpubsub.joinLeaveGroup.room", "webpubsub.sendToGroup.room.one"],
        &[
            Stage { changes: &[], join: &["room"], send: &["room.one"] },
            Stage { changes: &[(Change::Revoke, JoinLeaveGroup, "room")], join: &[], send: &["room.one"] },
        ],
    ),
    (
        &["webpubsub.joinLeaveGroups.room*", "webpubsub.sendToGroups.r**"],
        &[
            Stage { changes: &[], join: &["room", "room-1"], send: &["room", "room-1", "room.one"] },
            Stage {
                changes: &[
                    (Change::Revoke, JoinLeaveGroup, "room"),
                    (Change::Revoke, SendToGroup, "room.one"),
                ],
                join: &["room-1"],
                send: &["room", "room-1"],
            },
            Stage {
                changes: &[(Change::Grant, SendToGroup, "room.one")],
                join: &["room-1"],
                send: &["room", "room-1", "room.one"],
            },
        ],
    ),
    (
        &[],
        &[
            Stage {
                changes: &[(Change::Grant, JoinLeaveGroup, "room"), (Change::Grant, SendToGroup, "other")],
                join: &["room"],
                send: &["other"],
            },
            Stage { changes: &[(Change::Revoke, SendToGroup, "other")], join: &["room"], send: &[] },
            Stage { changes: &[(Change::Revoke, JoinLeaveGroup, "room")], join: &[], send: &[] },
        ],
    ),
];

fn with_roles(roles: &[&str]) -> ConnectRequest {
    ConnectRequest { roles: roles.iter().map(|role| (*role).to_owned()).collect(), ..json("alice") }
}

fn permission(shard: &TestShard, slot: Slot, kind: PermissionType, name: &str) -> Permission {
    Permission { connection: shard.id(slot), kind, group: group(name) }
}

fn change(shard: &mut TestShard, slot: Slot, change: Change, kind: PermissionType, name: &str) -> Reply {
    let permission = permission(shard, slot, kind, name);
    shard.command(match change {
        Change::Grant => Command::Grant(permission),
        Change::Revoke => Command::Revoke(permission),
    })
}

/// What a server is answered.
fn may(shard: &mut TestShard, slot: Slot, kind: PermissionType, name: &str) -> bool {
    let permission = permission(shard, slot, kind, name);
    shard.command(Command::Allowed(permission)) == Reply::Done
}

/// A client that asks for one thing after another.
struct Client {
    slot: Slot,
    encoding: Encoding,
    ack_ids: u64,
}

impl Client {
    fn new(shard: &mut TestShard, subprotocol: Subprotocol, request: ConnectRequest) -> Self {
        let slot = shard.connected(ConnectRequest { subprotocol, ..request });
        Self { slot, encoding: subprotocol.encoding().expect("it speaks in messages"), ack_ids: 0 }
    }

    /// Whether it was done, and not forbidden.
    fn ask(&mut self, shard: &mut TestShard, message: impl FnOnce(AckId) -> UpstreamMessage) -> bool {
        self.ack_ids += 1;
        let id = AckId(self.ack_ids);
        let frame = self.encoding.encode_upstream(&message(id));
        shard.input(Input::Frame { from: self.slot, frame });
        let [answer] = &*shard.take_frames(self.slot) else { panic!("an ack and nothing else") };
        match self.encoding.decode_downstream(answer) {
            Ok(Some(DownstreamMessage::Ack { ack_id, result })) if ack_id == id => match result {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error.name, AckError::FORBIDDEN);
                    false
                }
            },
            other => panic!("no ack of {id}: {other:?}"),
        }
    }

    fn join(&mut self, shard: &mut TestShard, name: &str) -> bool {
        self.ask(shard, |id| UpstreamMessage::JoinGroup { group: group(name), ack_id: Some(id) })
    }

    fn leave(&mut self, shard: &mut TestShard, name: &str) -> bool {
        self.ask(shard, |id| UpstreamMessage::LeaveGroup { group: group(name), ack_id: Some(id) })
    }

    fn send(&mut self, shard: &mut TestShard, name: &str) -> bool {
        self.ask(shard, |id| UpstreamMessage::SendToGroup {
            group: group(name),
            ack_id: Some(id),
            echo: Echo::Skip,
            ttl: TimeToLive::FOREVER,
            data: text("hi"),
            metadata: Metadata::default(),
        })
    }
}

#[test]
fn permissions_hold_in_every_subprotocol_and_outlive_memory() {
    for subprotocol in SUBPROTOCOLS {
        for (roles, stages) in CLIENTS {
            let mut shard = TestShard::new();
            let mut client = Client::new(&mut shard, subprotocol, with_roles(roles));
            let witness =
                shard.connected(ConnectRequest { groups: GROUPS.map(group).to_vec(), ..with_roles(&[]) });
            for stage in stages {
                for (verdict, kind, name) in stage.changes {
                    for _ in 0..2 {
                        assert_eq!(change(&mut shard, client.slot, *verdict, *kind, name), Reply::Done);
                    }
                }
                for _ in 0..2 {
                    for name in GROUPS {
                        let (join, send) = (stage.join.contains(&name), stage.send.contains(&name));
                        let allowed = [JoinLeaveGroup, SendToGroup]
                            .map(|kind| may(&mut shard, client.slot, kind, name));
                        assert_eq!(allowed, [join, send], "{roles:?}: {name}");
                        assert_eq!(client.join(&mut shard, name), join, "{roles:?}: {name}");
                        assert_eq!(client.send(&mut shard, name), send, "{roles:?}: {name}");
                        assert_eq!(shard.take(witness).len(), usize::from(send), "{roles:?}: {name}");
                        assert_eq!(client.leave(&mut shard, name), join, "{roles:?}: {name}");
                    }
                    shard.hibernate();
                }
            }
        }
    }
}

/// Source: docs/spec/permissions.md#scenarios, scenarios 1 and 2.
#[test]
fn revoking_keeps_memberships_and_granting_again_allows_again() {
    for subprotocol in SUBPROTOCOLS {
        let mut shard = TestShard::new();
        let roles = ["webpubsub.joinLeaveGroups.room*", "webpubsub.sendToGroup"];
        let mut alice = Client::new(&mut shard, subprotocol, with_roles(&roles));
        assert!(alice.join(&mut shard, "room"));
        for kind in [JoinLeaveGroup, SendToGroup] {
            change(&mut shard, alice.slot, Change::Revoke, kind, "room");
            assert!(
                !may(&mut shard, alice.slot, kind, "room") && may(&mut shard, alice.slot, kind, "room-other")
            );
        }
        assert!(
            !alice.send(&mut shard, "room")
                && !alice.join(&mut shard, "room")
                && !alice.leave(&mut shard, "room")
        );
        assert!(shard.exists(Target::Group(group("room"))));
        change(&mut shard, alice.slot, Change::Grant, SendToGroup, "room");
        assert!(alice.send(&mut shard, "room") && !alice.leave(&mut shard, "room"));
        change(&mut shard, alice.slot, Change::Grant, JoinLeaveGroup, "room");
        assert!(alice.leave(&mut shard, "room"));
        assert!(!shard.exists(Target::Group(group("room"))));
    }
}

/// Source: docs/spec/permissions.md#scenarios, scenario 4.
#[test]
fn two_connections_of_one_user_have_permissions_of_their_own() {
    let mut shard = TestShard::new();
    let [first, second] = [0, 1].map(|_| shard.connected(json("alice")));
    change(&mut shard, first, Change::Revoke, SendToGroup, "room");
    assert!(!may(&mut shard, first, SendToGroup, "room") && may(&mut shard, second, SendToGroup, "room"));
    shard.close(first, CloseCode::NORMAL);
    let again = shard.connected(json("alice"));
    assert_eq!(again, first, "the slot is used again");
    assert!(may(&mut shard, again, SendToGroup, "room"), "and nothing of its last owner is left");
}

#[test]
fn permissions_of_no_connection_can_only_be_revoked() {
    let mut shard = TestShard::new();
    let connection = ConnectionId::parse("none").expect("an id");
    let permission = Permission { connection, kind: SendToGroup, group: group("g") };
    assert_eq!(shard.command(Command::Grant(permission.clone())), Reply::NotFound);
    assert_eq!(shard.command(Command::Allowed(permission.clone())), Reply::NotFound);
    assert_eq!(shard.command(Command::Revoke(permission)), Reply::Done);
}

#[test]
fn the_1001st_single_group_is_a_conflict_that_stores_nothing() {
    let mut shard = TestShard::new();
    let mute = shard.connected(with_roles(&[]));
    for n in 0..1000 {
        assert_eq!(change(&mut shard, mute, Change::Grant, SendToGroup, &format!("g{n}")), Reply::Done);
    }
    let before = shard.disk.clone();
    assert_eq!(change(&mut shard, mute, Change::Grant, SendToGroup, "one more"), Reply::Conflict);
    assert_eq!(shard.disk, before);
    assert!(!may(&mut shard, mute, SendToGroup, "one more") && may(&mut shard, mute, SendToGroup, "g0"));
    assert_eq!(change(&mut shard, mute, Change::Grant, JoinLeaveGroup, "one more"), Reply::Done);
}

/// Source: docs/spec/permissions.md#patterns.
#[test]
fn single_groups_that_a_pattern_covers_do_not_count() {
    let singles = (0..1000).map(|n| format!("webpubsub.sendToGroup.room{n}"));
    let pattern = "webpubsub.sendToGroups.room*".to_owned();
    for roles in [
        singles.clone().chain([pattern.clone()]).collect::<Vec<_>>(),
        [pattern].into_iter().chain(singles).collect(),
    ] {
        let mut shard = TestShard::new();
        let alice = shard.connected(ConnectRequest { roles, ..json("alice") });
        for n in 0..1000 {
            assert_eq!(change(&mut shard, alice, Change::Grant, SendToGroup, &format!("g{n}")), Reply::Done);
        }
        assert_eq!(change(&mut shard, alice, Change::Grant, SendToGroup, "one more"), Reply::Conflict);
        assert!(may(&mut shard, alice, SendToGroup, "room7"));
    }
}

//! What happens to the clients of other protocols.

use webpubsub_mqtt::Qos;
use webpubsub_shard::Input;

use super::World;
use crate::simulation::devices::ledger::Publisher;
use crate::simulation::devices::member::Came;

impl World {
    pub(super) fn happen_to_member(&mut self) {
        if self.members.is_empty() {
            return;
        }
        let at = self.random.below(self.members.len());
        match self.random.below(10) {
            0..6 => self.member_arrives(at),
            6 | 7 => {
                let member = &mut self.members[at];
                if member.socket.is_some() && member.connection.is_some() {
                    let from = Publisher::Member(at, member.connections);
                    let message = self.ledger.add(from, self.step, Qos::ExactlyOnce);
                    member.publish(message);
                    self.note(format!("m{at} publishes {message}"));
                }
            }
            8 => self.member_connects(at),
            _ => {
                if let Some((shard, slot)) = self.members[at].socket.filter(|_| self.random.chance(300)) {
                    self.note(format!("m{at} is cut"));
                    self.members[at].lose_socket();
                    self.hub.shards[shard].cut(slot);
                }
            }
        }
    }

    pub(super) fn member_arrives(&mut self, at: usize) {
        let member = &mut self.members[at];
        if let (Some((shard, from)), Some(frame)) = (member.socket, member.up.pop_front()) {
            self.hub.shards[shard].feed(Input::Frame { from, frame });
        }
        for _ in 0..4 {
            let member = &mut self.members[at];
            match member.take() {
                Came::Nothing => {}
                Came::Acknowledged(message) => self.ledger.acknowledge(message),
                Came::Received(message) => {
                    self.summary.received += 1;
                    let is_exact = self.ledger.get(message).qos != Qos::AtLeastOnce
                        || self.ledger.get(message).from == Publisher::Server;
                    member.account.receive(&self.ledger, message, Qos::ExactlyOnce, is_exact, &member.name);
                }
            }
        }
    }

    /// A member comes back to its connection, or has another.
    pub(super) fn member_connects(&mut self, at: usize) {
        if self.members[at].socket.is_some() {
            return;
        }
        if let Some((shard, connection)) = self.members[at].connection.clone() {
            let slot = self.hub.shards[shard].recover(&connection);
            self.note(format!("m{at} recovers: {slot:?}"));
            let member = &mut self.members[at];
            member.socket = slot.map(|slot| (shard, slot));
            match slot {
                Some(_) => member.send_again(),
                None => member.connection = None,
            }
            return;
        }
        let accepting = self.hub.view(&mut self.random).accepting;
        let shard = self.random.below(accepting.into());
        let request = self.members[at].request();
        let Some(slot) = self.hub.shards[shard].connect(request) else { return };
        self.note(format!("m{at} connects to shard {shard}"));
        let member = &mut self.members[at];
        member.socket = Some((shard, slot));
        self.ledger.may_double(member.begin(shard, self.hub.shards[shard].id(slot), self.step));
        member.send_again();
    }
}

//! What servers ask of the hub.

use webpubsub_protocol::data::TimeToLive;
use webpubsub_protocol::role::PermissionType;
use webpubsub_service::{Destination, ShardRange};
use webpubsub_shard::{Input as ShardInput, Output};

use super::World;
use crate::simulation::check::check;
use crate::simulation::random::Random;
use crate::simulation::summary::Happening;
use crate::simulation::words::{GROUPS, Message, Request, To, USERS};

impl World {
    /// A server asks for something.
    pub(super) fn ask(&mut self) {
        let connections = self.model.connections.len();
        let random = &mut self.random;
        let group = |random: &mut Random| random.below(GROUPS.len()) as u8;
        let to = match random.below(10) {
            0 | 1 => To::All,
            2..=5 => To::Group(group(random)),
            6 | 7 => To::User(random.below(USERS.len()) as u8),
            _ if connections == 0 => To::All,
            _ => To::Connection(random.below(connections)),
        };
        let kind = random.pick(&[PermissionType::SendToGroup, PermissionType::JoinLeaveGroup]);
        let request = match random.below(40) {
            0 => Request::Close(to),
            1..=4 => Request::Join(to, group(random)),
            5 | 6 => Request::Leave(to, random.chance(800).then(|| group(random))),
            7..=10 if connections > 0 => Request::Permit {
                connection: random.below(connections),
                kind,
                group: group(random),
                granted: random.chance(600),
            },
            11 | 12 if connections > 0 => {
                Request::Allowed { connection: random.below(connections), kind, group: group(random) }
            }
            13 | 14 => Request::Exists(to),
            15 | 16 => Request::Members(group(random)),
            _ => {
                let seconds = if random.chance(300) { random.pick(&[1, 3, 10, 60]) } else { 0 };
                let ttl = TimeToLive::from_seconds(seconds).expect("a time to live");
                let size = if random.chance(300) { self.faults.large } else { 0 };
                let excluded = (connections > 0 && random.chance(200)).then(|| random.below(connections));
                return self.publish(to, excluded, size, ttl);
            }
        };
        self.submit(request);
    }

    fn publish(&mut self, to: To, excluded: Option<usize>, size: usize, ttl: TimeToLive) {
        let group = if let To::Group(group) = to { Some(group) } else { None };
        let message = self.model.messages.len() as u32;
        self.model.messages.push(Message::new(message, size, group, None));
        self.submit(Request::Send { to, excluded, message, ttl });
    }

    /// Some Worker sends a request to the shards that it concerns, as far as it knows.
    fn submit(&mut self, request: Request) {
        let map = self.view();
        self.model.check_reach(map.reached, None);
        let place = match request.connection() {
            Some(at) => Destination::OwnerOf(self.model.connections[at].id.clone()),
            None => Destination::AllShards,
        };
        let hub = ShardRange::below(map.reached);
        match hub.only(&place) {
            Some(shard) => self.requests.push((shard, ShardRange::below(0), request)),
            None => self.ask_for_parts(hub, request),
        }
        if self.requests.len() == 1 {
            self.serve();
        }
    }

    /// Shards are asked for their parts of a request, which each of them has those do that are behind it.
    fn ask_for_parts(&mut self, shards: ShardRange, request: Request) {
        self.requests.extend(shards.asked().map(|shard| (shard, shards, request)));
    }

    /// A server publishes very much at once.
    pub(super) fn burst(&mut self) {
        self.count(Happening::Burst);
        let to = match self.random.below(3) {
            0 => To::All,
            1 => To::User(self.random.below(USERS.len()) as u8),
            _ => To::Group(self.random.below(GROUPS.len()) as u8),
        };
        let (size, least, most) = match self.faults.large {
            0 => (0, 200, 1300),
            size => (size, 10, 40),
        };
        for _ in 0..self.random.between(least, most) {
            self.publish(to, None, size, TimeToLive::FOREVER);
            while !self.requests.is_empty() {
                self.serve();
            }
        }
    }

    /// A request that is on its way reaches its shard.
    pub(super) fn serve(&mut self) {
        if self.requests.is_empty() {
            return;
        }
        let (asked, shards, request) = self.requests.swap_remove(self.random.below(self.requests.len()));
        self.ask_for_parts(shards.behind(asked), request);
        let shard = usize::from(asked.0);
        self.note(|| format!("  shard {shard} is asked {request:?}"));
        let connections = &self.model.connections;
        let command = request.command(&self.model.messages, |at| &connections[at].id);
        self.step(shard, ShardInput::Command(command), None, |model, now, outputs| {
            let reply = Output::Reply(model.request(now, shard, &request));
            let replies = outputs.iter().filter(|output| matches!(output, Output::Reply(_)));
            check!(
                replies.clone().eq([&reply]),
                "{request:?} is answered {:?}, and not {reply:?}",
                replies.collect::<Vec<_>>()
            );
        });
    }
}

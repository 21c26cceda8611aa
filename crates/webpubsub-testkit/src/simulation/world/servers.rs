//! What servers ask of the hub.

use webpubsub_protocol::data::TimeToLive;
use webpubsub_protocol::rest::Response;
use webpubsub_protocol::role::PermissionType;
use webpubsub_service::Part;
use webpubsub_shard::{Input as ShardInput, Output, Reply};

use super::World;
use crate::simulation::check::check;
use crate::simulation::message::Message;
use crate::simulation::random::Random;
use crate::simulation::request::{Request, To};
use crate::simulation::rest::{Answered, Asked};
use crate::simulation::summary::Happening;
use crate::simulation::words::{GROUPS, USERS};

impl World {
    /// A server asks for something.
    pub(super) fn ask(&mut self) {
        let known: Vec<usize> = self.model.begun().collect();
        let connections = known.len();
        let random = &mut self.random;
        let group = |random: &mut Random| random.below(GROUPS.len()) as u8;
        let to = match random.below(10) {
            0 | 1 => To::All,
            2..=5 => To::Group(group(random)),
            6 | 7 => To::User(random.below(USERS.len()) as u8),
            _ if connections == 0 => To::All,
            _ => To::Connection(random.pick(&known)),
        };
        let kind = random.pick(&[PermissionType::SendToGroup, PermissionType::JoinLeaveGroup]);
        let request = match random.below(40) {
            0 => Request::Close(to),
            1..=4 => Request::Join(to, group(random)),
            5 | 6 => {
                // All groups are left by one connection, or by one user.
                let is_one = matches!(to, To::User(_) | To::Connection(_));
                Request::Leave(to, (!is_one || random.chance(800)).then(|| group(random)))
            }
            7..=10 if connections > 0 => Request::Permit {
                connection: random.pick(&known),
                kind,
                group: group(random),
                granted: random.chance(600),
            },
            11 | 12 if connections > 0 => {
                Request::Allowed { connection: random.pick(&known), kind, group: group(random) }
            }
            13 | 14 => Request::Exists(if to == To::All { To::Group(group(random)) } else { to }),
            15 | 16 => Request::Members(group(random)),
            _ => {
                let seconds = if random.chance(300) { random.pick(&[1, 3, 10, 60]) } else { 0 };
                let ttl = TimeToLive::from_seconds(seconds).expect("a time to live");
                let size = if random.chance(300) { self.faults.large } else { 0 };
                let excluding = connections > 0 && matches!(to, To::All | To::Group(_));
                let excluded = (excluding && random.chance(200)).then(|| random.pick(&known));
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

    /// Some Worker takes a request, and sends it to the shards that it concerns, as far as it knows.
    pub(super) fn submit(&mut self, request: Request) {
        let map = self.view();
        self.model.check_reach(map.reached, None);
        let connections = &self.model.connections;
        let line = request.line(&self.model.messages, |at| &connections[at].id);
        self.note(|| format!("  a server asks {} {}", line.method, line.path));
        self.rest.submit(&self.hub, map.reached, request, line);
        if self.rest.waiting() == 1 {
            self.serve();
        }
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
            while self.rest.waiting() > 0 {
                self.serve();
            }
        }
    }

    /// A request that is on its way reaches its shard.
    pub(super) fn serve(&mut self) {
        let Some(asked) = self.rest.take(&mut self.random) else { return };
        let (shard, request) = (usize::from(asked.shard.0), asked.asked.request);
        self.note(|| format!("  shard {shard} is asked {request:?}"));
        let mut replied = None;
        self.step(shard, ShardInput::Command(asked.command()), None, |model, now, outputs| {
            let reply = Output::Reply(model.request(now, shard, &request));
            let replies = outputs.iter().filter(|output| matches!(output, Output::Reply(_)));
            check!(
                replies.clone().eq([&reply]),
                "{request:?} is answered {:?}, and not {reply:?}",
                replies.collect::<Vec<_>>()
            );
            if let Output::Reply(reply) = reply {
                replied = Some(reply);
            }
        });
        self.rest.answer(&self.hub, asked, replied);
        for (asked, answered) in self.rest.take_answered() {
            self.note(|| format!("  {:?} is answered {answered:?}", asked.request));
            check_answer(&asked, &answered);
        }
    }
}

/// A server receives what came of its request, out of what the shards replied.
fn check_answer(asked: &Asked, answered: &Answered) {
    let (request, replies) = (&asked.request, asked.replies.borrow());
    let (mut members, mut is_found) = (Vec::new(), false);
    for reply in replies.iter().flatten() {
        is_found |= *reply == Reply::Done;
        if let Reply::Members(some) = reply {
            members.extend(some.iter().cloned());
        }
    }
    members.sort_by(|one, other| one.connection.cmp(&other.connection));
    let expected = if matches!(request, Request::Members(_)) {
        Reply::Members(members)
    } else if is_found || !request.is_search() {
        Reply::Done
    } else {
        Reply::NotFound
    };
    let is_known = replies.iter().all(Option::is_some);
    let is_so = match answered {
        Answered::ByAll(Part::Replied(reply)) => is_known && *reply == expected,
        Answered::ByAll(Part::Refused(response)) => !is_known && response.status == 500,
        Answered::ByOne(Response { status, .. }) if is_known => {
            *status == 404 && expected == Reply::NotFound || *status < 300 && expected != Reply::NotFound
        }
        Answered::ByOne(response) => response.status == 500,
    };
    check!(is_so, "{request:?} is answered {answered:?}, where the shards replied {replies:?}");
}

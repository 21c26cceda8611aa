//! Quiet points: nothing goes wrong for long enough, and then nothing is owed.

use std::time::Duration;

use webpubsub_shard::{Attachment, Slot, Sockets};

use super::World;
use crate::simulation::check::{broken, check};
use crate::simulation::client::Client;
use crate::simulation::machine::Machine;
use crate::simulation::model::{Link, WINDOW};
use crate::simulation::peer::Peer;
use crate::simulation::request::Request;
use crate::simulation::socket::Reader;
use crate::simulation::summary::Happening;
use crate::simulation::words::{Down, GROUPS, Up};

/// How long a client takes at most to detect a dead link, and to get another: its keep-alive, the
/// third of it that it is late, and the pauses between its attempts.
const PATIENCE: Duration = Duration::from_secs(200);

/// How often a shard looks whether its connections are there, and the directory at least whether a shard
/// that is to go has any.
const LOOKS: Duration = Duration::from_secs(300);

impl World {
    /// Nothing goes wrong any more, until everybody has what is owed to them.
    pub(super) fn quiet(&mut self) {
        self.note(|| "  it becomes quiet".to_owned());
        self.count(Happening::Quiet);
        for shard in 0..self.shards.len() {
            if self.random.chance(300) {
                self.hibernate(shard);
            }
        }
        self.calm = true;
        for at in 0..self.sockets.len() {
            let Some(socket) = &mut self.sockets[at] else { continue };
            if !socket.whole {
                // Some clients detect it only by the silence; those that wait for it to open would for ever.
                let is_ours = matches!(socket.reader, Reader::Client(..));
                let detects = !is_ours || !socket.opened || self.random.chance(900);
                if socket.is_read && detects && !socket.down.contains(&Down::Lost) {
                    socket.down.push_back(Down::Lost);
                }
                if socket.known && !socket.up.iter().any(|up| matches!(up, Up::Lost)) {
                    socket.up.push_back(Up::Lost);
                }
            }
        }
        let end = self.now.after(PATIENCE);
        loop {
            self.carry_everything();
            if self.is_settled() {
                break;
            }
            let sessions = self.clients.iter().filter_map(|client| client.session.next_timeout());
            let shards = self.shards.iter().filter_map(|shard| shard.next_timeout());
            let peers = self.peers.iter().filter_map(Peer::next_timeout);
            let due = sessions.chain(shards).chain(peers).chain(self.directory.alarm()).min();
            let Some(due) = due else { break };
            if due > end {
                break;
            }
            self.wait(due.since(self.now));
        }
        self.check_quiet();
        self.calm = false;
    }

    /// Nothing happens until nothing is waited for.
    pub(super) fn rest(&mut self) {
        self.calm = true;
        for client in 0..self.clients.len() {
            if self.clients[client].started {
                self.clients[client].start_or_stop();
                self.act(client);
            }
        }
        for peer in 0..self.peers.len() {
            self.stop_peer(peer);
        }
        for shard in 0..self.shards.len() {
            self.wake(shard);
        }
        for _ in 0..2 {
            self.carry_everything();
            self.wait(WINDOW);
        }
        self.carry_everything();
        self.wait(LOOKS);
        let end = self.now.after(LOOKS + PATIENCE);
        while let Some(due) = self.directory.alarm().filter(|due| *due <= end) {
            self.wait(due.since(self.now));
            self.carry_everything();
        }
        self.model.check_events();
        let map = *self.directory.map();
        check!(
            self.directory.alarm().is_none() && map.is_settled(),
            "the shards never become what they are to: {map:?}"
        );
        for (shard, machine) in self.shards.iter().enumerate() {
            let core = machine.core().expect("the shard is awake");
            let due = [core.next_timeout(), core.next_deadline()];
            check!(due == [None; 2], "shard {shard} waits for {due:?}, and no client is there");
            check!(core.connections() == 0, "shard {shard} still has {} connections", core.connections());
            self.check_disk(shard);
        }
    }

    /// Carries what is on its way, and what follows from it, until nothing is.
    fn carry_everything(&mut self) {
        loop {
            for client in 0..self.clients.len() {
                self.dial(client);
            }
            let mut moved = false;
            for peer in 0..self.peers.len() {
                moved |= self.go_on_with_peer(peer);
            }
            for at in 0..self.sockets.len() {
                while self.sockets[at].as_ref().is_some_and(|socket| !socket.up.is_empty()) {
                    moved = true;
                    self.reach(at);
                }
                while self.sockets[at].as_ref().is_some_and(|socket| !socket.down.is_empty()) {
                    moved = true;
                    self.arrive(at);
                }
            }
            for shard in 0..self.shards.len() {
                while self.shards[shard].is_busy() {
                    moved = true;
                    self.turn(shard);
                }
            }
            while self.rest.waiting() > 0 {
                moved = true;
                self.serve();
            }
            while !self.network.is_empty() {
                moved = true;
                self.relay();
            }
            while !self.calls.is_empty() {
                moved = true;
                self.answer();
            }
            if !moved && self.clients.iter().all(|client| client.dial.is_none()) {
                return;
            }
        }
    }

    /// Whether every client that is started has its connection, and every shard what is on its way to it.
    fn is_settled(&self) -> bool {
        let is_connected = |client: &Client| {
            let Some(connection) = client.connection.map(|at| &self.model.connections[at]) else {
                return false;
            };
            let is_open =
                client.socket.and_then(|at| self.sockets[at].as_ref()).is_some_and(|socket| socket.whole);
            is_open && connection.end.is_none()
        };
        self.clients.iter().filter(|client| client.started).all(is_connected)
            && self.peers.iter().filter(|peer| peer.started).all(Peer::is_done)
            && self.model.is_delivered()
            && self.model.untaken().is_none()
            && self.model.untold().is_none()
    }

    fn check_quiet(&mut self) {
        self.check_peers();
        for (client, known) in self.clients.iter().enumerate().filter(|(_, client)| client.started) {
            let socket = known.socket.and_then(|at| self.sockets[at].as_ref());
            check!(
                socket.is_some_and(|socket| socket.whole && socket.known),
                "client {client} has no open socket after {PATIENCE:?} of quiet"
            );
            let at = known.connection.expect("it is connected");
            let connection = &self.model.connections[at];
            check!(
                connection.end.is_none() && connection.link == Link::Open,
                "client {client} never received that connection {at} has ended: {:?}",
                connection.end
            );
            for missed in &connection.expected[connection.received..] {
                check!(
                    connection.lossy || missed.has_expired(self.now),
                    "client {client} never receives {missed:?}, published to connection {at}"
                );
            }
        }
        // A shard that sleeps on what it owes another was woken for it.
        if let Some((from, to)) = self.model.untaken() {
            broken(format!("shard {to} has not taken all publishes of shard {from}"));
        }
        if let Some(at) = self.model.untold() {
            let durable = &self.model.connections[at].history.durable;
            broken(format!("no event handler receives {durable:?} of connection {at}"));
        }
        (0..self.shards.len()).for_each(|shard| self.check_disk(shard));
        for group in 0..GROUPS.len() as u8 {
            self.submit(Request::Members(group));
        }
        while self.rest.waiting() > 0 {
            self.serve();
        }
    }

    /// A shard's disk, and the sockets that carry what is not there, have what there is and nothing else.
    fn check_disk(&self, shard: usize) {
        let Machine { driver, disk, sockets, config, .. } = &self.shards[shard];
        let disk = &disk.snapshot;
        let sockets = sockets.iter().flatten().filter_map(|at| self.sockets[*at].as_ref());
        let attachments = sockets.filter_map(|socket| socket.attachment.as_ref());
        let carried: Vec<_> = attachments.filter_map(Attachment::carried).collect();
        let is_kept = |slot: Slot| {
            let of_disk = disk.connections.iter().map(|record| record.slot);
            of_disk.chain(carried.iter().map(|(record, _)| record.slot)).any(|other| other == slot)
        };
        check!(
            disk.durable_events.is_empty(),
            "shard {shard} keeps what event handlers received: {:?}",
            disk.durable_events
        );
        let alive = self.model.alive(shard).iter().map(|at| &self.model.connections[*at]);
        // A crash may have ended a connection that was not written yet, and where sockets end with the memory some
        // never are.
        let are_all_kept = driver.is_some() && config.sockets == Sockets::OutliveMemory;
        let alive =
            alive.filter(|connection| are_all_kept || connection.is_reliable() || is_kept(connection.slot));
        let (alive, members) = alive.fold((0, 0), |(alive, members), connection| {
            (alive + 1, members + connection.groups.count_ones())
        });
        let kept = disk.connections.len() + carried.len();
        check!(kept == alive, "shard {shard} keeps {kept} connections, not {alive}");
        let of_carried: usize = carried.iter().map(|(_, groups)| groups.len()).sum();
        let (members, kept) = (members as usize, disk.memberships.len() + of_carried);
        check!(kept == members, "shard {shard} keeps {kept} memberships, not {members}");
        let sessions = (disk.mqtt_sessions.len(), disk.mqtt_subscriptions.len());
        let known = self.model.sessions(shard);
        check!(
            sessions == known,
            "shard {shard} keeps sessions and subscriptions {sessions:?}, not {known:?}"
        );
        let is_left =
            disk.mqtt_packets.iter().any(|(slot, _)| disk.mqtt_sessions.iter().all(|(of, _)| of != slot));
        check!(!is_left, "shard {shard} keeps packets of sessions that are over: {:?}", disk.mqtt_packets);
    }
}

//! Nothing goes wrong any more: everything arrives, and everybody leaves.

use std::time::Duration;

use webpubsub_mqtt::{DownstreamPacket, Qos, UpstreamPacket};
use webpubsub_protocol::close::CloseCode;

use super::{FIRST, World};
use crate::simulation::check::check;

impl World {
    /// Everything that is on its way arrives, until nothing more comes of it.
    pub(super) fn calm_down(&mut self) {
        self.note("it becomes quiet".to_owned());
        self.is_calm = true;
        let mut calm = 0;
        for round in 0.. {
            check!(round < 10_000, "it goes on for ever");
            self.step += 1;
            let mut is_calm = self.hub.is_still();
            for at in 0..self.devices.len() {
                if self.devices[at].socket.is_none() {
                    self.hub.pass(Duration::from_secs(1));
                    self.connect(at);
                    is_calm = false;
                }
                self.collect();
                is_calm &= self.devices[at].up.is_empty() && self.devices[at].down.is_empty();
                self.arrive_up(at);
                self.hub.turn(FIRST);
                self.collect();
                self.arrive_down(at);
            }
            for at in 0..self.members.len() {
                is_calm &= self.members[at].is_done() && self.members[at].socket.is_some();
                self.member_connects(at);
                self.member_arrives(at);
            }
            for shard in 0..self.hub.shards.len() {
                self.hub.turn(shard);
                self.hub.carry(&mut self.random, true);
            }
            self.collect();
            // What was not taken is sent once more after a pause of some seconds.
            if is_calm {
                self.say_hello();
                self.hub.pass(Duration::from_secs(10));
                calm += 1;
            } else {
                calm = 0;
            }
            if calm > 3 {
                return;
            }
        }
    }

    /// Every device gives a sign of life.
    fn say_hello(&mut self) {
        for device in &self.devices {
            let Some(socket) = &device.socket else { continue };
            socket.send(&mut self.hub.shards[FIRST], &UpstreamPacket::Pingreq);
        }
        self.collect();
        for device in &mut self.devices {
            device.down.retain(|packet| !matches!(packet, DownstreamPacket::Pingresp));
        }
    }

    pub(super) fn compare(&self) {
        for device in &self.devices {
            check!(device.outstanding.is_empty(), "{} waits for {:?}", device.id, device.outstanding);
            device.account.close(&self.ledger, device.qos != Qos::AtMostOnce, &device.id);
        }
        for member in &self.members {
            member.account.close(&self.ledger, member.is_reliable(), &member.name);
        }
    }

    pub(super) fn leave(&mut self) {
        for device in &self.devices {
            let Some(socket) = &device.socket else { continue };
            socket.disconnect(&mut self.hub.shards[FIRST]);
        }
        for member in &self.members {
            let Some((shard, slot)) = member.socket else { continue };
            self.hub.shards[shard].close(slot, CloseCode::NORMAL);
        }
        // Longer than anything that shards look after.
        self.hub.pass(Duration::from_secs(1000));
        for (at, shard) in self.hub.shards.iter().enumerate() {
            let disk = &shard.disk;
            check!(shard.core().connections() == 0, "sessions are left on shard {at}");
            check!(
                disk.mqtt_sessions.is_empty()
                    && disk.mqtt_subscriptions.is_empty()
                    && disk.mqtt_packets.is_empty(),
                "rows are left: {disk:?}"
            );
            let core = shard.core();
            let due = [core.next_timeout(), core.next_deadline()];
            check!(due == [None; 2], "shard {at} waits for {due:?}");
        }
    }
}

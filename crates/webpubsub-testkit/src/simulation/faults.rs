//! What goes wrong.

use super::Happening;
use super::random::Random;
use super::words::{Down, Up, Word};
use super::world::{Turn, World};

/// How often what happens in one run, and what goes wrong.
#[derive(Debug)]
pub(super) struct Faults {
    pub(super) turns: Vec<(usize, Turn)>,
    /// Whether the number of shards changes.
    pub(super) resizes: bool,
    /// How often of a thousand a shard dies in the middle of a step.
    pub(super) doom: usize,
    /// How often of a thousand a client does not get through to the service.
    pub(super) unreachable: usize,
    /// How often of a thousand a batch or its answer is lost.
    pub(super) relay_lost: usize,
    /// How often of a thousand a batch comes a second time.
    pub(super) relay_again: usize,
    /// How often of a thousand a frame is lost with a shard's memory.
    pub(super) forgotten: usize,
    /// How often of a thousand a socket that is cut turns out lost when a frame is sent on it.
    pub(super) send_fails: usize,
    /// How often of a thousand an event handler fails.
    pub(super) handler_fails: usize,
    /// How often of a thousand an event handler never answers.
    pub(super) handler_hangs: usize,
    /// Bytes of large payloads.
    pub(super) large: usize,
}

impl Faults {
    pub(super) fn draw(random: &mut Random, steps: u32) -> Self {
        // Most runs lack some kinds of trouble, so that the others get further.
        let resizes = random.chance(200);
        // Large payloads take long.
        let large = if steps >= 500 && random.chance(3) { 700_000 } else { 0 };
        let bursts = large > 0 || random.chance(100);
        let mut often = |most| if random.chance(350) { 0 } else { random.between(1, most) };
        Self {
            doom: often(10),
            unreachable: often(300),
            relay_lost: often(300),
            relay_again: often(200),
            forgotten: often(300),
            send_fails: often(500),
            handler_fails: often(400),
            handler_hangs: often(100),
            turns: vec![
                (180, Turn::Operate),
                (250, Turn::Reach),
                (300, Turn::Arrive),
                (60, Turn::Dial),
                (60, Turn::Ask),
                (80, Turn::Serve),
                (80, Turn::Wait),
                (150, Turn::CarryOut),
                (150, Turn::Relay),
                (150, Turn::Answer),
                (often(10), Turn::StartOrStop),
                (often(12), Turn::Jump),
                (often(30), Turn::Cut),
                (often(2), Turn::Noise),
                (often(15), Turn::Hibernate),
                (often(10), Turn::Crash),
                (often(3), Turn::Quiet),
                (often(4), Turn::GoAway),
                (if resizes { 6 } else { 0 }, Turn::Resize),
                (if bursts { 1 + 2000 / steps.max(1) as usize } else { 0 }, Turn::Burst),
            ],
            resizes,
            large,
        }
    }
}

impl World {
    /// The network loses a socket. What was on its way last is lost with it, and either end detects it
    /// sooner or later, or never.
    pub(super) fn cut(&mut self, at: usize) {
        self.count(Happening::Cut);
        let (is_seen, is_detected) = (self.random.chance(700), self.random.chance(500));
        let random = &mut self.random;
        let socket = self.sockets[at].as_mut().expect("a socket");
        socket.whole = false;
        socket.up.truncate(random.below(socket.up.len() + 1));
        socket.down.truncate(random.below(socket.down.len() + 1));
        if is_seen && socket.is_read {
            socket.down.push_back(Down::Lost);
        }
        if is_detected {
            socket.up.push_back(Up::Lost);
        }
        self.note(|| {
            format!("  socket {at} is cut; client detects it: {is_seen}, shard detects it: {is_detected}")
        });
    }

    /// A shard's memory is lost. Its sockets stay, but frames that were just put on them may be lost.
    pub(super) fn hibernate(&mut self, shard: usize) {
        // A shard that waits for something outside does not sleep.
        if self.shards[shard].driver.is_none() || self.shards[shard].is_busy() || self.is_calling(shard) {
            return;
        }
        self.count(Happening::Hibernation);
        self.note(|| format!("  shard {shard} loses its memory"));
        self.shards[shard].forget();
        for at in self.shards[shard].sockets.clone().into_iter().flatten() {
            let often = self.faults.forgotten;
            let mut lost = false;
            while self.random.chance(often) {
                let socket = self.socket_mut(at);
                if !matches!(socket.down.back(), Some(Down::Data(_) | Down::Word(Word::Ack(..) | Word::Pong)))
                {
                    break;
                }
                socket.down.pop_back();
                lost = true;
            }
            if lost {
                let connection = self.connection_of(at);
                self.model.connections[connection].lossy = true;
            }
        }
    }

    /// A shard's process dies. The disk stays, and so do frames that are far enough on their way.
    pub(super) fn crash(&mut self, shard: usize) {
        self.count(Happening::Crash);
        self.note(|| format!("  shard {shard} crashes"));
        self.shards[shard].forget();
        for at in self.shards[shard].sockets.clone().into_iter().flatten() {
            self.lose(shard, at);
            let in_flight = self.socket_mut(at).down.len();
            let kept = self.random.below(in_flight + 1);
            let is_seen = self.random.chance(800);
            let socket = self.socket_mut(at);
            if socket.whole {
                socket.whole = false;
                socket.down.truncate(kept);
                if is_seen && socket.is_read {
                    socket.down.push_back(Down::Lost);
                }
            }
            self.drop_if_dead(at);
        }
    }

    /// A shard that has no memory has a socket no longer.
    pub(super) fn lose(&mut self, shard: usize, at: usize) {
        let connection = self.connection_of(at);
        let slot = self.model.connections[connection].slot;
        self.shards[shard].sockets[slot.0 as usize] = None;
        let socket = self.socket_mut(at);
        socket.known = false;
        socket.up.clear();
        self.model.vanish(connection);
    }
}

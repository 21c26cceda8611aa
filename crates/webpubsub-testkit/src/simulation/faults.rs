//! How often what happens in a run, and what goes wrong.

use super::random::Random;

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Operate,
    StartOrStop,
    Dial,
    Reach,
    CarryOut,
    Arrive,
    Ask,
    Serve,
    Relay,
    Answer,
    Peer,
    Wait,
    Jump,
    Cut,
    Noise,
    Hibernate,
    Crash,
    GoAway,
    Resize,
    Burst,
    Quiet,
}

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
                (150, Turn::Peer),
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

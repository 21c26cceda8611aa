//! What happened in a run.

use std::fmt;

macro_rules! happenings {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is counted, to know that it happens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Happening {
            $($(#[$doc])* $name,)*
        }

        impl Happening {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

happenings! {
    /// A message is raised for an application.
    Delivery,
    /// A publish is acknowledged to an application.
    Acknowledgement,
    /// An operation was done before.
    Duplicate,
    /// A socket is cut.
    Cut,
    /// A socket turns out lost when a frame is sent on it.
    Lost,
    /// A shard's process dies between steps.
    Crash,
    /// A shard's process dies within a step.
    Doom,
    /// A shard loses its memory and nothing else.
    Hibernation,
    /// A connection is recovered.
    Recovery,
    /// A connection cannot be recovered.
    Refusal,
    /// The service is about to stop, and closes sockets.
    GoAway,
    /// A recovery takes over from a socket that looks alive.
    TakeOver,
    /// A row of the log is read, to be sent again or to another shard.
    RowRead,
    /// A message is not sent again, because its time is over.
    Expiry,
    /// A connection with a socket has too much outstanding.
    Overflow,
    /// A server closes a connection with a socket.
    Close,
    /// Rows of the log are deleted.
    Trim,
    /// A turn carries out more than one message.
    SharedTurn,
    /// A batch arrives for the first time.
    Batch,
    /// A batch arrives that was taken before, or a part of it.
    BatchAgain,
    /// An event handler is called for an event.
    Call,
    /// An event handler is called once more, after its shard lost its memory.
    CallAgain,
    /// Its answer has something for the client.
    Answer,
    /// It does not answer in time.
    Timeout,
    /// It is not called for an event any more.
    GivenUp,
    /// The clock jumps.
    Jump,
    /// A server publishes much at once.
    Burst,
    /// A client loses a connection for good.
    Loss,
    /// The hub is to have another number of shards.
    Resize,
    /// The hub sends clients away from shards that are to go.
    Drain,
    /// The hub has its new number of shards.
    Resized,
    /// A message is raised for the application of an MQTT client.
    MqttDelivery,
    /// One is raised once more, at QoS 1.
    MqttRepetition,
    /// A publish is acknowledged to an MQTT client.
    MqttAcknowledgement,
    /// A session of MQTT goes on over another socket.
    MqttResumption,
    /// A will is published.
    Will,
    /// An MQTT client is given up, since it is silent.
    Silence,
    /// A message is raised for the application of a bare client.
    BareDelivery,
    /// It becomes quiet.
    Quiet,
}

/// What happened in one run, or in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// How many steps there were.
    pub steps: u64,
    pub(super) happened: [u64; Happening::ALL.len()],
}

impl Default for Summary {
    fn default() -> Self {
        Self { steps: 0, happened: [0; Happening::ALL.len()] }
    }
}

impl Summary {
    /// How often something happened.
    #[must_use]
    pub const fn count(&self, happening: Happening) -> u64 {
        self.happened[happening as usize]
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        for (sum, more) in self.happened.iter_mut().zip(other.happened) {
            *sum += more;
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} steps", self.steps)?;
        Happening::ALL
            .iter()
            .try_for_each(|happening| write!(f, ", {happening:?} {}", self.count(*happening)))
    }
}

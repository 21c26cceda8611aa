//! Shards and sessions of clients, joined in one process.

use std::collections::VecDeque;
use std::time::Duration;

use expect_test::Expect;
use webpubsub_client_core::{
    AttemptId, Close, CommandId, Event, Incoming, Input, Next, Operation, Options, Output, Session,
};
use webpubsub_protocol::client::endpoint::ClientEndpoint;
use webpubsub_protocol::client::{DownstreamMessage, Encoding, Frame, json};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::{Destination, ShardRange};
use webpubsub_shard::{
    Batch, ConnectRequest, EventPolicy, Full, Input as HubInput, ShardConfig, ShardId, Slot, Target,
};

use crate::handler::policy;
use crate::placing::place;
use crate::shard::TestShard;

/// A hub of one shard or several, and sessions that are connected to it.
///
/// Nothing moves by itself: [`Net::run_until_quiet`] carries what was sent, [`Net::pass`] lets time
/// go by. What crosses a socket and what a session raises for its application is written down, a line
/// each, for [`Net::check`]; a protobuf message is written down as the JSON that says the same.
#[derive(Debug)]
pub struct Net {
    /// The hub.
    pub shards: Vec<TestShard>,
    clients: Vec<Client>,
    now: Timestamp,
    commands: u32,
    transcript: String,
}

#[derive(Debug)]
struct Client {
    session: Session<MessageData>,
    request: ConnectRequest,
    /// Where its open socket ends: attempt, shard, slot.
    socket: Option<(AttemptId, usize, Slot)>,
    inputs: VecDeque<Input<MessageData>>,
}

impl Net {
    /// A hub of so many shards, without connections.
    #[must_use]
    pub fn new(shards: u16) -> Self {
        Self::with(shards, &policy())
    }

    /// The same, with event handlers for events like this.
    #[must_use]
    pub fn with(shards: u16, policy: &EventPolicy) -> Self {
        let config = |shard| ShardConfig { shard: ShardId(shard), shards, ..ShardConfig::only() };
        Self {
            shards: (0..shards).map(|shard| TestShard::with(config(shard), policy.clone())).collect(),
            clients: Vec::new(),
            now: Timestamp::from_millis(1_000_000),
            commands: 0,
            transcript: String::new(),
        }
    }

    /// Adds a client that will connect as this; returns its number: 0, 1, 2, …
    pub fn add(&mut self, request: ConnectRequest) -> usize {
        let options = Options { subprotocol: request.subprotocol, ..Options::default() };
        let session = Session::new(options);
        self.clients.push(Client { session, request, socket: None, inputs: VecDeque::new() });
        self.clients.len() - 1
    }

    /// A client that is connected, with what that took left out of the transcript.
    pub fn connected(&mut self, request: ConnectRequest) -> usize {
        let client = self.add(request);
        self.start(client);
        self.run_until_quiet();
        self.transcript.clear();
        client
    }

    /// The application starts its client.
    pub fn start(&mut self, client: usize) {
        let id = self.command();
        self.input(client, Input::Start { id });
    }

    /// The application stops its client.
    pub fn stop(&mut self, client: usize) {
        self.input(client, Input::Stop);
    }

    /// The application has its client do something.
    pub fn operate(&mut self, client: usize, operation: Operation<MessageData>) {
        let id = self.command();
        self.input(client, Input::Operate { id, operation });
    }

    /// A server publishes, on those shards that it goes to.
    pub fn publish(&mut self, to: &Target, data: &MessageData) {
        let shards = ShardRange::below(self.shards.len() as u16);
        let only = shards.only(&Destination::of(to)).map(ShardRange::of);
        for ShardId(shard) in only.unwrap_or(shards).all() {
            self.shards[usize::from(shard)].publish(to.clone(), data.clone());
        }
    }

    /// The network loses a client's socket.
    pub fn cut(&mut self, client: usize) {
        let (attempt, shard, slot) = self.clients[client].socket.take().expect("an open socket");
        self.shards[shard].cut(slot);
        let close = Close { code: CloseCode::ABNORMAL, reason: String::new() };
        self.input(client, Input::Closed { attempt, close });
    }

    /// Lets time go by, in the steps that somebody waits for, and everything that follows happen.
    pub fn pass(&mut self, duration: Duration) {
        let end = self.now.after(duration);
        self.run_until_quiet();
        while let Some(due) = self.next_timeout().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            for client in 0..self.clients.len() {
                self.input(client, Input::Timeout);
            }
            for shard in &mut self.shards {
                shard.now = self.now;
                shard.time_out();
            }
            self.run_until_quiet();
        }
        self.now = end;
    }

    /// Carries everything that was sent, and what is sent because of it, until nothing is.
    pub fn run_until_quiet(&mut self) {
        while self.clients_act() || self.shards_act() {}
    }

    /// Compares what has happened since the last check.
    pub fn check(&mut self, expected: &Expect) {
        expected.assert_eq(&std::mem::take(&mut self.transcript));
    }

    /// Forgets what has happened so far.
    pub fn forget(&mut self) {
        self.transcript.clear();
    }

    fn next_timeout(&self) -> Option<Timestamp> {
        let sessions = self.clients.iter().filter_map(|client| client.session.next_timeout());
        sessions.chain(self.shards.iter().filter_map(TestShard::due)).min()
    }

    fn command(&mut self) -> CommandId {
        self.commands += 1;
        CommandId(self.commands)
    }

    fn input(&mut self, client: usize, input: Input<MessageData>) {
        self.clients[client].inputs.push_back(input);
    }

    fn note(&mut self, client: usize, line: &str) {
        self.transcript.push_str(&format!("c{client} {line}\n"));
    }

    fn clients_act(&mut self) -> bool {
        let mut acted = false;
        for client in 0..self.clients.len() {
            while let Some(input) = self.clients[client].inputs.pop_front() {
                acted = true;
                for output in self.clients[client].session.handle(self.now, input) {
                    self.perform(client, output);
                }
            }
        }
        acted
    }

    fn perform(&mut self, client: usize, output: Output<MessageData>) {
        match output {
            Output::FetchUrl { attempt } => {
                let url = "wss://example.com/client/hubs/hub".to_owned();
                self.input(client, Input::UrlFetched { attempt, url });
            }
            Output::Connect { attempt, url, .. } => self.connect(client, attempt, &url),
            Output::Send(message) => {
                let encoding = self.encoding(client);
                self.note(client, &format!("→ {}", json::encode_upstream(&message)));
                if let Some((_, shard, slot)) = self.clients[client].socket {
                    let frame = encoding.encode_upstream(&message);
                    self.shards[shard].input(HubInput::Frame { from: slot, frame });
                }
            }
            Output::SendOther { .. } => panic!("no client here asks for other operations"),
            Output::Close { attempt } => {
                if let Some((open, shard, slot)) = self.clients[client].socket
                    && open == attempt
                {
                    self.clients[client].socket = None;
                    self.shards[shard].close(slot, CloseCode::NO_STATUS);
                }
                let close = Close { code: CloseCode::NO_STATUS, reason: String::new() };
                self.input(client, Input::Closed { attempt, close });
            }
            Output::Started { result, .. } => self.note(client, &format!("start: {result:?}")),
            Output::Settle { result, .. } => match result {
                Ok(receipt) if receipt.is_duplicated => self.note(client, "done before"),
                Ok(_) => self.note(client, "done"),
                Err(error) => self.note(client, &format!("failed: {error}")),
            },
            Output::Invoked { result, .. } => match result {
                Ok(answer) => self.note(client, &format!("answered {}", json::encode_downstream(answer))),
                Err(error) => self.note(client, &format!("failed: {error}")),
            },
            Output::Event(event) => self.note(client, &format!("• {}", words(&event))),
        }
    }

    fn connect(&mut self, client: usize, attempt: AttemptId, url: &str) {
        self.input(client, Input::Opened { attempt });
        if let Some(recovery) =
            ClientEndpoint::parse("/client/hubs/hub", url.split_once('?').map(|(_, query)| query))
                .expect("the URL is a client's")
                .recovery
        {
            self.note(client, "→ recover");
            let connection = ConnectionId::parse(recovery.connection_id).expect("a connection id");
            let shard = usize::from(ShardId::of(&connection).expect("an id of ours").0);
            if let Some(slot) = self.shards[shard].recover(&connection) {
                self.clients[client].socket = Some((attempt, shard, slot));
                return;
            }
            // The service accepts and closes at once what it cannot recover.
            let cause = CloseCause::NotRecoverable;
            let close = Close { code: cause.code(), reason: cause.reason().to_owned() };
            return self.input(client, Input::Closed { attempt, close });
        }
        // Each client begins with the shard after that of the one before it.
        let mut random = [0; 20];
        random[..2].copy_from_slice(&(client as u16).to_be_bytes());
        let (request, shards) = (&self.clients[client].request, self.shards.len() as u16);
        let placed = place(self.now, random, request.subprotocol, shards, |ShardId(shard), _| {
            let shard = usize::from(shard);
            let slot = self.shards[shard].connect(request.clone()).ok_or(Full::Shard)?;
            Ok((shard, slot))
        });
        let (shard, slot) = placed.expect("a shard has room");
        self.clients[client].socket = Some((attempt, shard, slot));
    }

    fn shards_act(&mut self) -> bool {
        let mut acted = false;
        for client in 0..self.clients.len() {
            let Some((attempt, shard, slot)) = self.clients[client].socket else { continue };
            if self.shards[shard].is_open(slot) {
                for frame in self.shards[shard].take_frames(slot) {
                    acted = true;
                    self.arrive(client, attempt, &frame);
                }
            } else {
                let closed = self.shards[shard].closed.pop().expect("a socket that the hub closed");
                assert_eq!(closed.slot, slot, "one connection is closed at a time");
                acted = true;
                for frame in closed.frames {
                    self.arrive(client, attempt, &frame);
                }
                self.clients[client].socket = None;
                let close = Close { code: CloseCode(closed.code), reason: closed.reason };
                self.input(client, Input::Closed { attempt, close });
            }
        }
        for from in 0..self.shards.len() {
            for (to, batch) in std::mem::take(&mut self.shards[from].relayed) {
                acted = true;
                let sent = Batch::decode(&batch.encode()).expect("a batch is read as it was written");
                self.shards[usize::from(to.0)].input(HubInput::Batch(sent));
                self.shards[from].answer(to, &batch, true);
            }
        }
        acted
    }

    fn arrive(&mut self, client: usize, attempt: AttemptId, frame: &Frame) {
        let encoding = self.encoding(client);
        let message = encoding.decode_downstream(frame).expect("the service sends messages");
        let shown = match frame {
            Frame::Text(text) => text.clone(),
            Frame::Binary(_) => message.clone().map(json::encode_downstream).unwrap_or_default(),
        };
        self.note(client, &format!("← {shown}"));
        self.input(client, Input::Message { attempt, message: Incoming::from(message) });
    }

    fn encoding(&self, client: usize) -> Encoding {
        self.clients[client].request.subprotocol.encoding().expect("sessions speak in messages")
    }
}

/// What an event says, in a few words.
fn words(event: &Event<DownstreamMessage>) -> String {
    match event {
        Event::Connected { .. } => "connected".to_owned(),
        Event::Disconnected { close, next, .. } => {
            let next = match next {
                Next::Reconnect => "will reconnect",
                Next::Stop => "will stop",
            };
            format!("disconnected with {}, {next}", close.code.0)
        }
        Event::Stopped { .. } => "stopped".to_owned(),
        Event::Recovering { .. } => "recovering".to_owned(),
        Event::Recovered { .. } => "recovered".to_owned(),
        Event::Data(_) => "message".to_owned(),
        Event::RejoinGroupFailed { group, error } => format!("could not join {group} again: {error}"),
    }
}

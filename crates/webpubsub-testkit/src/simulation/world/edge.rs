//! The clients' side: what their sessions do and are given, and what their applications receive.

use webpubsub_client_core::{Close, Event, Incoming, Input, Output};
use webpubsub_protocol::client::endpoint::ClientEndpoint;
use webpubsub_protocol::client::{AckError, UpstreamMessage};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::TimeToLive;
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::ConnectionId;

use super::World;
use crate::simulation::check::{broken, check};
use crate::simulation::client::Dial;
use crate::simulation::random::Random;
use crate::simulation::socket::Reader;
use crate::simulation::summary::Happening;
use crate::simulation::words::{Answer, Down, Received, Up, Word, user_id};

/// Some clients let their messages expire; sessions do not.
fn with_ttl(mut message: UpstreamMessage<u32>, random: &mut Random) -> UpstreamMessage<u32> {
    if let UpstreamMessage::SendToGroup { ttl, .. } = &mut message
        && random.chance(200)
    {
        *ttl = TimeToLive::from_seconds(random.pick(&[1, 5, 30])).expect("a time to live");
    }
    message
}

impl World {
    /// A session is given the time, if it waits for it.
    pub(super) fn look_at_clock(&mut self, client: usize) {
        if self.clients[client].session.next_timeout().is_some_and(|due| due <= self.now) {
            self.clients[client].inputs.push_back(Input::Timeout);
            self.act(client);
        }
    }

    /// A session takes all its inputs.
    pub(super) fn act(&mut self, client: usize) {
        while let Some(input) = self.clients[client].inputs.pop_front() {
            self.note(|| format!("  client {client} takes {input:?}"));
            for output in self.clients[client].session.handle(self.now, input) {
                self.obey(client, output);
            }
        }
    }

    fn obey(&mut self, client: usize, output: Output<u32, Received>) {
        self.note(|| format!("    client {client}: {output:?}"));
        match output {
            Output::FetchUrl { attempt } => {
                let url = "wss://example.com/client/hubs/hub".to_owned();
                self.clients[client].inputs.push_back(Input::UrlFetched { attempt, url });
            }
            Output::Connect { attempt, url, subprotocol: _ } => {
                self.let_go(client);
                let query = url.split_once('?').map(|(_, query)| query);
                let endpoint = ClientEndpoint::parse("/client/hubs/hub", query).expect("a client's URL");
                let recovery = endpoint
                    .recovery
                    .map(|recovery| ConnectionId::parse(recovery.connection_id).expect("a connection id"));
                self.clients[client].dial = Some(Dial { attempt, recovery });
            }
            Output::Send(message) => {
                if let Some(at) = self.clients[client].socket {
                    let socket = self.sockets[at].as_mut().expect("a socket");
                    if socket.whole {
                        socket.up.push_back(Up::Message(with_ttl(message, &mut self.random)));
                    }
                }
            }
            Output::SendOther { .. } => panic!("no client here asks for other operations"),
            Output::Close { attempt } => {
                let dial = &mut self.clients[client].dial;
                if dial.as_ref().is_some_and(|dial| dial.attempt == attempt) {
                    *dial = None;
                }
                if let Some(at) = self.clients[client].socket {
                    let socket = self.sockets[at].as_mut().expect("a socket");
                    if socket.reader == Reader::Client(client, attempt) {
                        if socket.whole {
                            socket.up.push_back(Up::Close(CloseCode::NO_STATUS));
                        }
                        self.let_go(client);
                    }
                }
                // A service that does not answer the close frame is not waited for.
                if self.calm || self.random.chance(800) {
                    let close = Close { code: CloseCode::NO_STATUS, reason: String::new() };
                    self.clients[client].inputs.push_back(Input::Closed { attempt, close });
                }
            }
            Output::Started { result, .. } => {
                if result.is_err() && self.clients[client].dial.is_none() {
                    self.clients[client].started = false;
                }
            }
            Output::Settle { id, result } => {
                if let Some(message) = self.clients[client].settle(id, &result) {
                    self.count(Happening::Acknowledgement);
                    let accepted = self.model.messages[message as usize].accepted;
                    check!(accepted > 0, "message {message} is acknowledged and was never published");
                }
            }
            // No client of the simulation invokes anything.
            Output::Invoked { .. } => {}
            Output::Event(event) => self.raise(client, &event),
        }
    }

    /// A client listens to its socket no longer.
    fn let_go(&mut self, client: usize) {
        if let Some(at) = self.clients[client].socket.take() {
            let socket = self.sockets[at].as_mut().expect("a socket");
            socket.is_read = false;
            socket.down.clear();
            self.drop_if_dead(at);
        }
    }

    /// What was sent to a client first arrives.
    pub(super) fn arrive(&mut self, at: usize) {
        let Some(socket) = &mut self.sockets[at] else { return };
        let Some(down) = socket.down.pop_front() else { return };
        socket.opened |= down == Down::Opened;
        let connection = socket.connection;
        let (client, attempt) = match socket.reader {
            Reader::Client(client, attempt) => (client, attempt),
            Reader::Peer(peer) => return self.arrive_at_peer(peer, at, connection, down),
        };
        self.note(|| format!("  on socket {at}, connection {connection} to client {client}: {down:?}"));
        let input = match down {
            Down::Opened => Input::Opened { attempt },
            Down::Word(word) => Input::Message { attempt, message: self.word(client, connection, word) },
            Down::Data(received) => {
                let sequence_id = received.number.map(SequenceId);
                Input::Message { attempt, message: Incoming::Data { sequence_id, message: received } }
            }
            Down::Close(code) => {
                self.let_go(client);
                let ended = self.model.connections[connection].end.is_some();
                check!(
                    ended || code != CloseCode::POLICY_VIOLATION,
                    "connection {connection} is given up by its client, and is there"
                );
                Input::Closed { attempt, close: Close { code, reason: String::new() } }
            }
            Down::Lost => {
                self.let_go(client);
                let close = Close { code: CloseCode::ABNORMAL, reason: String::new() };
                Input::Closed { attempt, close }
            }
        };
        self.clients[client].inputs.push_back(input);
        self.act(client);
    }

    fn word(&mut self, client: usize, connection: usize, word: Word) -> Incoming<Received> {
        let known = &self.model.connections[connection];
        match word {
            Word::Connected => {
                self.clients[client].connection = Some(connection);
                Incoming::Connected {
                    connection_id: known.id.clone(),
                    user_id: Some(user_id(known.profile.user)),
                    reconnection_token: known.is_reliable().then(|| "token".to_owned()),
                }
            }
            Word::Disconnected => Incoming::Disconnected { message: String::new() },
            Word::Ack(ack_id, answer) => {
                let error = |name| Err(AckError { name, message: String::new() });
                let result = match answer {
                    Answer::Done => Ok(()),
                    Answer::Duplicate => error(AckError::DUPLICATE.into()),
                    Answer::Forbidden => error(AckError::FORBIDDEN.into()),
                    Answer::Failed => error(AckError::INTERNAL_SERVER_ERROR.into()),
                };
                check!(
                    matches!(answer, Answer::Forbidden | Answer::Failed) || known.has_done(ack_id),
                    "connection {connection} receives {answer:?} for {ack_id}, which is not done"
                );
                if answer == Answer::Duplicate {
                    self.count(Happening::Duplicate);
                }
                Incoming::Ack { ack_id, result }
            }
            Word::Pong => Incoming::Other,
            Word::Packet(packet) => broken(format!("a client of ours is sent {packet:?}")),
        }
    }

    /// An application receives an event.
    fn raise(&mut self, client: usize, event: &Event<Received>) {
        match event {
            Event::Data(received) => self.raise_message(client, *received),
            Event::Disconnected { .. } => self.count(Happening::Loss),
            Event::Stopped { .. } => self.clients[client].started = false,
            Event::Connected { .. }
            | Event::Recovering { .. }
            | Event::Recovered { .. }
            | Event::RejoinGroupFailed { .. } => {}
        }
    }

    fn raise_message(&mut self, client: usize, received: Received) {
        self.count(Happening::Delivery);
        let at = self.clients[client].connection.unwrap_or_else(|| broken("a message before `connected`"));
        self.receive_message(at, received);
    }

    /// The application of a connection receives a message, the next one that was published to it.
    pub(super) fn receive_message(&mut self, at: usize, received: Received) {
        let connection = &mut self.model.connections[at];
        let before = connection.received;
        let Some(number) = received.number else {
            let skipped =
                connection.expected[before..].iter().position(|copy| copy.message == received.message);
            let Some(skipped) = skipped else {
                broken(format!("connection {at} receives {} twice, late, or by mistake", received.message))
            };
            check!(skipped == 0 || connection.lossy, "connection {at} misses {skipped} messages");
            connection.received = before + skipped + 1;
            return;
        };
        let number = number as usize;
        check!(number > before, "connection {at} receives message {number} after message {before}");
        check!(
            connection.expected.get(number - 1).is_some_and(|copy| copy.message == received.message),
            "connection {at} receives {} as message {number}, which is {:?}",
            received.message,
            connection.expected.get(number - 1)
        );
        for missed in &connection.expected[before..number - 1] {
            check!(
                missed.has_expired(self.now),
                "connection {at} receives message {number} after message {before}, and never {missed:?}"
            );
        }
        connection.received = number;
    }
}

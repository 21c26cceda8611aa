//! What sessions and streams ask for, and what applications receive.

use std::collections::VecDeque;

use webpubsub_client_core::{
    AttemptId, Close, CommandId, ConnectError, Event, GroupStateItem, InboundInput, InboundOutput,
    OutboundInput, OutboundOutput, Receipt, SendError,
};
use webpubsub_protocol::client::endpoint::ClientEndpoint;
use webpubsub_protocol::client::{
    DownstreamMessage, GroupStateAction, GroupStatesKind, Origin, StreamError, UpstreamMessage,
};
use webpubsub_protocol::close::{CloseCause, CloseCode};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{Input as ShardInput, ShardId};

use super::World;
use crate::simulation::check::{broken, check};
use crate::simulation::streaming::client::{Down, Input, Output, Piece, Socket, StateRequest, text_of};
use crate::simulation::streaming::seen::{Fate, Received};
use crate::simulation::words::GROUPS;

impl World {
    pub(super) fn act(&mut self, client: usize) {
        while let Some(input) = self.clients[client].inputs.pop_front() {
            for output in self.clients[client].session.handle(self.now, input) {
                self.obey(client, output);
            }
        }
    }

    pub(super) fn obey(&mut self, client: usize, output: Output) {
        match output {
            Output::FetchUrl { attempt } => {
                let url = "wss://example.com/client/hubs/hub".to_owned();
                self.clients[client].inputs.push_back(Input::UrlFetched { attempt, url });
            }
            Output::Connect { attempt, url, .. } => self.connect(client, attempt, &url),
            Output::Send(message) => self.send(client, &message),
            Output::SendOther { message: StateRequest { group, action }, ack_id } => {
                self.send(client, &UpstreamMessage::GroupState { group, ack_id, action });
            }
            Output::Close { attempt } => {
                self.hang_up(client, CloseCode::NO_STATUS);
                let close = Close { code: CloseCode::NO_STATUS, reason: String::new() };
                self.clients[client].inputs.push_back(Input::Closed { attempt, close });
            }
            Output::Started { result, .. } => self.clients[client].started &= result.is_ok(),
            Output::Settle { id, result } => self.settle(client, id, &result),
            Output::Invoked { .. } => {}
            Output::Event(event) => self.event(client, event),
        }
    }

    /// An operation of a client is over.
    fn settle(&mut self, client: usize, id: CommandId, result: &Result<Receipt, SendError>) {
        if let Some(StateRequest { group, action }) = self.clients[client].operations.get(&id.0) {
            let (name, outcome) = (group.as_str(), result.as_ref().map(|receipt| receipt.ack_id));
            let line = format!("client {client} in group {name}: {action:?} is over: {outcome:?}");
            self.note(&line);
        }
        self.clients[client].settled(id, result);
    }

    /// A client lets go of its socket.
    pub(super) fn hang_up(&mut self, client: usize, code: CloseCode) {
        let Some(Socket { shard, slot: Some(slot), up, .. }) = self.clients[client].socket.take() else {
            return;
        };
        for frame in up {
            if self.shards[shard].is_open(slot) {
                self.shards[shard].input(ShardInput::Frame { from: slot, frame });
            }
        }
        if self.shards[shard].is_open(slot) {
            self.shards[shard].close(slot, code);
        }
        self.shards[shard].closed.retain(|closed| closed.slot != slot);
        self.collect();
    }

    pub(super) fn connect(&mut self, client: usize, attempt: AttemptId, url: &str) {
        self.hang_up(client, CloseCode::ABNORMAL);
        let query = url.split_once('?').map(|(_, query)| query);
        let endpoint = ClientEndpoint::parse("/client/hubs/hub", query).expect("a client's URL");
        if !self.calm && self.random.chance(100) {
            let error = ConnectError::Unreachable;
            return self.clients[client].inputs.push_back(Input::ConnectFailed { attempt, error });
        }
        let (shard, slot) = match endpoint.recovery {
            Some(recovery) => {
                let id = ConnectionId::parse(recovery.connection_id).expect("a connection id");
                let shard = ShardId::of(&id).map_or(0, |shard| usize::from(shard.0));
                (shard, self.shards[shard].recover(&id))
            }
            None => match self.place(client) {
                Some((shard, slot)) => (shard, Some(slot)),
                None => {
                    let error = ConnectError::Unreachable;
                    return self.clients[client].inputs.push_back(Input::ConnectFailed { attempt, error });
                }
            },
        };
        self.clients[client].inputs.push_back(Input::Opened { attempt });
        self.note(&format!("client {client} connects to shard {shard}: {slot:?}"));
        let mut down = VecDeque::new();
        if slot.is_none() {
            let cause = CloseCause::NotRecoverable;
            down.push_back(Down::Closed(Close { code: cause.code(), reason: cause.reason().to_owned() }));
        }
        self.clients[client].socket = Some(Socket { attempt, shard, slot, up: VecDeque::new(), down });
        self.outbound(client, OutboundInput::LinkOpened);
        self.collect();
    }

    pub(super) fn event(&mut self, client: usize, event: Event<DownstreamMessage>) {
        match event {
            Event::Connected { connection_id, .. } => {
                self.note(&format!("client {client} is {connection_id}"));
                let one = &mut self.clients[client];
                one.connection = Some(connection_id.to_string());
                one.connections += 1;
                let renewal = one.states.connected();
                for group in renewal.subscribe {
                    let group = GROUPS.iter().position(|known| *known == group).expect("a group") as u8;
                    one.change_state(group, GroupStateAction::Subscribe);
                }
            }
            Event::Recovering { .. } => self.outbound(client, OutboundInput::Recovering),
            Event::Recovered { .. } => {
                self.summary.recoveries += 1;
                self.outbound(client, OutboundInput::Recovered);
            }
            Event::Disconnected { .. } => {
                self.summary.losses += 1;
                self.clients[client].lost();
                self.outbound(client, OutboundInput::ConnectionLost);
            }
            Event::Stopped { .. } => {
                self.clients[client].started = false;
                self.inbound(client, InboundInput::Stopped);
            }
            Event::Data(message) => self.data(client, message),
            Event::RejoinGroupFailed { group, error } => broken(format!("{group} is not joined: {error}")),
        }
    }

    pub(super) fn data(&mut self, client: usize, message: DownstreamMessage) {
        match message {
            DownstreamMessage::Data {
                from: Origin::Group { group, .. }, data, stream: Some(part), ..
            } => {
                let is_end = part.end.is_some();
                let payload =
                    if let MessageData::Text(text) = &data { text.parse().unwrap_or_default() } else { 0 };
                let message = (!is_end).then_some(Piece { number: part.sequence_id, payload });
                let input = InboundInput::Fragment {
                    group: group.as_str().to_owned(),
                    stream_id: part.stream_id.as_str().to_owned(),
                    sequence_id: part.sequence_id,
                    end: part.end.map(Result::err),
                    message,
                };
                self.inbound(client, input);
            }
            DownstreamMessage::GroupStates { states, .. } => {
                let items = states.items.into_iter().map(|item| GroupStateItem {
                    connection_id: item.connection_id.to_string(),
                    updated_at: item.updated_at.as_millis(),
                    state: item.state.map(|state| format!("{}={}", item.connection_id, text_of(&state))),
                });
                let (items, group) = (items.collect(), states.group.as_str());
                let known = &mut self.clients[client].states;
                let is_changed = match states.kind {
                    GroupStatesKind::Snapshot => known.snapshot(self.now, group, items),
                    GroupStatesKind::Update => known.update(self.now, group, items),
                };
                self.summary.changes += u64::from(is_changed);
                if is_changed {
                    let view = self.clients[client].view(group).unwrap_or_default();
                    self.note(&format!("client {client} knows of group {group}: {view:?}"));
                }
            }
            DownstreamMessage::Data { .. }
            | DownstreamMessage::Connected { .. }
            | DownstreamMessage::Disconnected { .. }
            | DownstreamMessage::Ack { .. }
            | DownstreamMessage::InvokeResponse { .. }
            | DownstreamMessage::Stream { .. }
            | DownstreamMessage::Pong => broken(format!("client {client} receives {message:?}")),
        }
    }

    pub(super) fn outbound(&mut self, client: usize, input: OutboundInput<MessageData>) {
        for output in self.clients[client].outbound.handle(self.now, input) {
            match output {
                OutboundOutput::Send(message) => self.send(client, &message),
                OutboundOutput::Settle { id, result } => {
                    let at = self.clients[client].calls.remove(&id.0).expect("a call is settled once");
                    let sent = &mut self.streams[at];
                    if sent.fate == Fate::Opening {
                        sent.fate = if result.is_ok() { Fate::Open } else { Fate::Failed };
                    }
                }
                OutboundOutput::Completed { stream_id } => self.over(stream_id.as_str(), Fate::Completed),
                OutboundOutput::Failed { stream_id, error } => {
                    self.note(&format!("client {client}: stream {} failed: {error}", stream_id.as_str()));
                    self.over(stream_id.as_str(), Fate::Failed);
                }
            }
        }
    }

    pub(super) fn over(&mut self, id: &str, fate: Fate) {
        let sent = self.streams.iter_mut().find(|sent| sent.id == id).expect("a stream that was opened");
        check!(sent.fate == Fate::Open, "stream {id} is over twice: {:?}, {fate:?}", sent.fate);
        sent.fate = fate;
        match fate {
            Fate::Completed => self.summary.completed += 1,
            Fate::Opening | Fate::Open | Fate::Failed => self.summary.failed += 1,
        }
    }

    pub(super) fn inbound(&mut self, client: usize, input: InboundInput<Piece, StreamError>) {
        for output in self.clients[client].inbound.handle(self.now, input) {
            let one = &mut self.clients[client];
            match output {
                InboundOutput::Began { stream, stream_id, group, .. } => {
                    let sent = self.streams.iter().find(|sent| sent.id == stream_id);
                    let sent = sent.unwrap_or_else(|| broken(format!("stream {stream_id} was never opened")));
                    check!(
                        GROUPS[usize::from(sent.group)] == group,
                        "stream {stream_id} comes in group {group}"
                    );
                    let is_again =
                        one.receiving.values().any(|known| known.is_same(&stream_id, one.connections));
                    check!(!is_again, "stream {stream_id} begins twice for client {client}");
                    one.receiving.insert(stream.0, Received::new(stream_id, one.connections));
                }
                InboundOutput::Received { stream, message: Piece { number, payload } } => {
                    self.summary.pieces += 1;
                    let received = one.receiving.get_mut(&stream.0).expect("a stream that began");
                    received.piece(one.connections, number, payload);
                }
                InboundOutput::Ended { stream, ending } => {
                    let received = one.receiving.get_mut(&stream.0).expect("a stream that began");
                    received.ends(one.connections, ending);
                }
            }
        }
    }
}

//! What shards put on WebSockets.

use std::collections::VecDeque;

use webpubsub_client_core::AttemptId;
use webpubsub_protocol::client::{AckError, DataFrame, DownstreamMessage, Frame};
use webpubsub_protocol::id::SequenceId;
use webpubsub_protocol::name::UserId;
use webpubsub_shard::{Output, Slot};

use super::World;
use crate::simulation::check::{broken, check};
use crate::simulation::socket::Socket;
use crate::simulation::words::{Answer, Down, Received, Word, message_number, user_id};

impl World {
    pub(super) fn accept(
        &mut self,
        shard: usize,
        slot: Slot,
        connection: usize,
        client: usize,
        attempt: AttemptId,
    ) {
        let at = self.sockets.iter().position(Option::is_none).unwrap_or_else(|| {
            self.sockets.push(None);
            self.sockets.len() - 1
        });
        let machine = &mut self.shards[shard];
        if machine.sockets.len() <= slot.0 as usize {
            machine.sockets.resize(slot.0 as usize + 1, None);
        }
        check!(machine.sockets[slot.0 as usize].is_none(), "{slot:?} has two sockets");
        machine.sockets[slot.0 as usize] = Some(at);
        self.sockets[at] = Some(Socket {
            client,
            attempt,
            shard,
            connection,
            attachment: None,
            up: VecDeque::new(),
            down: [Down::Opened].into(),
            known: true,
            is_read: true,
            whole: true,
            opened: false,
            closed: false,
        });
        self.clients[client].socket = Some(at);
        self.note(|| format!("    socket {at} of client {client} is connection {connection}'s"));
    }

    pub(super) fn socket_mut(&mut self, at: usize) -> &mut Socket {
        self.sockets[at].as_mut().expect("a socket")
    }

    pub(super) fn holder_of_socket(&self, shard: usize, slot: Slot) -> usize {
        let at = self.shards[shard].socket(slot);
        at.unwrap_or_else(|| broken(format!("shard {shard} has no socket in {slot:?}")))
    }

    pub(super) fn connection_of(&self, at: usize) -> usize {
        self.sockets[at].as_ref().expect("a socket").connection
    }

    /// Who is in a slot, by the socket or without one.
    fn connection_in(&self, shard: usize, slot: Slot) -> usize {
        match self.shards[shard].socket(slot) {
            Some(at) => self.connection_of(at),
            None => self.model.holder(shard, slot),
        }
    }

    /// Puts something on a socket.
    pub(super) fn put(&mut self, at: usize, down: Down) {
        let socket = self.socket_mut(at);
        check!(!socket.closed, "{down:?} is put on a socket after its close frame");
        socket.closed = matches!(down, Down::Close(_));
        if socket.whole && socket.is_read {
            socket.down.push_back(down);
        }
        self.drop_if_dead(at);
    }

    pub(super) fn send(&mut self, shard: usize, to: &[Slot], frame: &Frame, checked: bool) {
        let connection = self.connection_in(shard, to[0]);
        let encoding = self.model.connections[connection].profile.encoding();
        let message = encoding.decode_downstream(frame).ok().flatten();
        let message = message.unwrap_or_else(|| broken(format!("{frame:?} is no message")));
        let word = match message {
            DownstreamMessage::Data { from, data, metadata: _, sequence_id, stream: _ } => {
                let number = message_number(&data);
                check!(sequence_id.is_none(), "a frame for many has a number");
                let published = &mut self.model.messages[number as usize];
                published.check(encoding, &from, &data);
                published.check_bytes(encoding, frame);
                for slot in to {
                    let at = self.on(shard, *slot);
                    if checked {
                        self.model.send(self.connection_of(at), number, None);
                    }
                    self.put(at, Down::Data(Received { message: number, number: None }));
                }
                return;
            }
            DownstreamMessage::Connected { connection_id, user_id: user, reconnection_token } => {
                let known = &self.model.connections[connection];
                let named = user.as_ref().map(UserId::as_str) == Some(user_id(known.profile.user).as_str());
                check!(connection_id == known.id && named, "connection {connection} is called another");
                check!(
                    reconnection_token.is_some() == known.is_reliable(),
                    "connection {connection} has the token {reconnection_token:?}"
                );
                Word::Connected
            }
            DownstreamMessage::Disconnected { .. } => Word::Disconnected,
            DownstreamMessage::Ack { ack_id, result } => Word::Ack(
                ack_id,
                match result {
                    Ok(()) => Answer::Done,
                    Err(error) if error.name == AckError::DUPLICATE => Answer::Duplicate,
                    Err(error) if error.name == AckError::FORBIDDEN => Answer::Forbidden,
                    Err(error) if error.name == AckError::INTERNAL_SERVER_ERROR => Answer::Failed,
                    Err(error) => broken(format!("an operation ends with {error:?}")),
                },
            ),
            DownstreamMessage::InvokeResponse { .. } => broken("sessions invoke nothing"),
            DownstreamMessage::Stream { .. } => broken("sessions open no streams"),
            DownstreamMessage::GroupStates { .. } => broken("sessions subscribe to no states"),
            DownstreamMessage::Pong => Word::Pong,
        };
        for slot in to {
            let at = self.on(shard, *slot);
            if checked {
                self.model.say(self.connection_of(at), word);
            }
            self.put(at, Down::Word(word));
        }
    }

    /// The socket that a frame goes to. With [`Bug::SendAfterClose`](crate::simulation::Bug::SendAfterClose) it may be one that is closed.
    fn on(&self, shard: usize, slot: Slot) -> usize {
        self.shards[shard].socket(slot).unwrap_or_else(|| {
            broken(format!("a frame is put on {slot:?} of shard {shard}, which has no open socket"))
        })
    }

    pub(super) fn send_numbered(
        &mut self,
        shard: usize,
        to: &[(Slot, SequenceId)],
        frame: &DataFrame,
        checked: bool,
    ) {
        let (slot, first) = to[0];
        let at = self.on(shard, slot);
        let encoding = self.model.connections[self.connection_of(at)].profile.encoding();
        let message = encoding.decode_downstream(&frame.with(Some(first))).ok().flatten();
        let Some(DownstreamMessage::Data { from, data, metadata: _, sequence_id, stream: _ }) = message
        else {
            broken(format!("{frame:?} is no message"));
        };
        check!(sequence_id == Some(first), "{sequence_id:?} is to be {first}");
        let number = message_number(&data);
        let published = &mut self.model.messages[number as usize];
        published.check(encoding, &from, &data);
        published.check_bytes(encoding, &frame.with(None));
        for (slot, id) in to {
            let at = self.on(shard, *slot);
            if checked {
                self.model.send(self.connection_of(at), number, Some(id.0));
            }
            self.put(at, Down::Data(Received { message: number, number: Some(id.0) }));
        }
    }

    /// Lets frames out before what was written for them is on disk.
    pub(super) fn leak(&mut self, shard: usize, outputs: Vec<Output>) {
        for output in outputs {
            if let Output::Send { to, frame } = &output
                && to.iter().all(|slot| self.shards[shard].socket(*slot).is_some())
            {
                self.send(shard, to, frame, false);
            } else if let Output::SendNumbered { to, frame } = &output {
                self.send_numbered(shard, to, frame, false);
            }
        }
    }

    /// Forgets a socket that neither end knows.
    pub(super) fn drop_if_dead(&mut self, at: usize) {
        if self.sockets[at].as_ref().is_some_and(|socket| !socket.known && !socket.is_read) {
            self.sockets[at] = None;
        }
    }
}

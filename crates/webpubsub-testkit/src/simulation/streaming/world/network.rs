//! What lies between clients and shards.

use webpubsub_client_core::{AttemptId, Close, Incoming, OutboundInput};
use webpubsub_protocol::client::{DownstreamMessage, Frame, UpstreamMessage};
use webpubsub_protocol::close::CloseCode;
use webpubsub_shard::Input as ShardInput;

use super::World;
use crate::simulation::streaming::client::{Down, Input};

impl World {
    /// What a client sent first reaches its shard.
    pub(super) fn reach(&mut self, client: usize) {
        let Some(socket) = &mut self.clients[client].socket else { return };
        let (Some(frame), Some(slot)) = (socket.up.pop_front(), socket.slot) else { return };
        let shard = socket.shard;
        self.shards[shard].input(ShardInput::Frame { from: slot, frame });
        self.collect();
    }

    /// Takes what shards have sent.
    pub(super) fn collect(&mut self) {
        for shard in 0..self.shards.len() {
            self.take_frames(shard);
            for closed in std::mem::take(&mut self.shards[shard].closed) {
                let close = Close { code: CloseCode(closed.code), reason: closed.reason };
                let holder = self.clients.iter_mut().filter_map(|client| client.socket.as_mut());
                let mut holder = holder.filter(|one| one.shard == shard && one.slot == Some(closed.slot));
                if let Some(socket) = holder.next() {
                    socket.slot = None;
                    socket.up.clear();
                    socket.down.extend(closed.frames.into_iter().map(Down::Frame));
                    socket.down.push_back(Down::Closed(close));
                }
            }
            for (to, batch) in std::mem::take(&mut self.shards[shard].relayed) {
                self.batches.push_back((shard, usize::from(to.0), batch));
            }
        }
    }

    pub(super) fn take_frames(&mut self, shard: usize) {
        for socket in self.clients.iter_mut().filter_map(|client| client.socket.as_mut()) {
            if let Some(slot) =
                socket.slot.filter(|slot| socket.shard == shard && self.shards[shard].is_open(*slot))
            {
                socket.down.extend(self.shards[shard].take_frames(slot).into_iter().map(Down::Frame));
            }
        }
    }

    /// What was sent to a client first arrives.
    pub(super) fn arrive(&mut self, client: usize) {
        let Some(socket) = &mut self.clients[client].socket else { return };
        let Some(down) = socket.down.pop_front() else { return };
        let attempt = socket.attempt;
        match down {
            Down::Frame(frame) => self.frame(client, attempt, &frame),
            Down::Closed(close) => {
                self.clients[client].socket = None;
                self.note(&format!("client {client} detects {close:?}"));
                self.clients[client].inputs.push_back(Input::Closed { attempt, close });
                self.act(client);
            }
        }
    }

    pub(super) fn frame(&mut self, client: usize, attempt: AttemptId, frame: &Frame) {
        self.note(&format!("client {client} ← {frame:?}"));
        let message =
            self.clients[client].encoding().decode_downstream(frame).expect("the service sends messages");
        let answer = match message {
            Some(DownstreamMessage::Stream { stream_id, answer }) => {
                self.clients[client].inputs.push_back(Input::Message { attempt, message: Incoming::Other });
                Some(OutboundInput::Answered { stream_id, answer })
            }
            message => {
                self.clients[client].inputs.push_back(Input::Message { attempt, message: message.into() });
                None
            }
        };
        self.act(client);
        if let Some(answer) = answer {
            self.outbound(client, answer);
        }
    }

    pub(super) fn send(&mut self, client: usize, message: &UpstreamMessage) {
        self.note(&format!("client {client} → {message:?}"));
        let frame = self.clients[client].encoding().encode_upstream(message);
        if let Some(socket) = self.clients[client].socket.as_mut().filter(|socket| socket.slot.is_some()) {
            socket.up.push_back(frame);
        }
    }
}

//! The sockets of a test's shard: clients that come and go, and what each has received.

use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::name::ConnectionId;
use webpubsub_shard::{Attachment, ConnectRequest, Input, Output, Slot};

use super::{Socket, TestShard};

impl TestShard {
    /// Lets a client in; `None` if the shard is full.
    pub fn connect(&mut self, request: ConnectRequest) -> Option<Slot> {
        self.ids += 1;
        let [high, low] = self.ids.to_be_bytes();
        let mut random = [low; 16];
        random[15] ^= high;
        let connection = self.config.shard.connection_id(random);
        let reconnection_token = request.subprotocol.is_reliable().then(|| "token".to_owned());
        let outputs = self.input(Input::Connect { connection, request, reconnection_token });
        outputs
            .iter()
            .find_map(|output| if let Output::Accept { slot, .. } = output { Some(*slot) } else { None })
    }

    /// A client comes back with a new socket; `None` if its connection cannot be recovered.
    pub fn recover(&mut self, connection: &ConnectionId) -> Option<Slot> {
        let outputs = self
            .input(Input::Recover { connection: connection.clone(), reconnection_token: "token".to_owned() });
        outputs
            .iter()
            .find_map(|output| if let Output::Accept { slot, .. } = output { Some(*slot) } else { None })
    }

    /// A socket is gone, with this code.
    pub fn close(&mut self, slot: Slot, code: CloseCode) {
        self.close_with(slot, code, "");
    }

    /// A socket is gone, with this code and these words.
    pub fn close_with(&mut self, slot: Slot, code: CloseCode, reason: &str) {
        self.input(Input::Closed { slot, code, reason: reason.to_owned() });
    }

    /// The network loses a socket.
    pub fn cut(&mut self, slot: Slot) {
        self.close(slot, CloseCode::ABNORMAL);
    }

    /// A connection that has already read its `connected` message.
    pub fn connected(&mut self, request: ConnectRequest) -> Slot {
        let slot = self.connect(request).expect("the shard has room");
        self.take(slot);
        slot
    }

    /// A client sends a text frame.
    pub fn send(&mut self, from: Slot, frame: &str) {
        self.input(Input::Frame { from, frame: Frame::Text(frame.to_owned()) });
    }

    /// Whether a socket is open.
    #[must_use]
    pub fn is_open(&self, slot: Slot) -> bool {
        self.sockets.contains_key(&slot)
    }

    /// The connection of a socket.
    pub fn id(&self, slot: Slot) -> ConnectionId {
        self.sockets[&slot].id.clone()
    }

    /// What a socket received since it was asked last, binary frames spelled out.
    pub fn take(&mut self, slot: Slot) -> Vec<String> {
        self.take_frames(slot).iter().map(spelled_out).collect()
    }

    /// The frames that a socket received since it was asked last.
    pub fn take_frames(&mut self, slot: Slot) -> Vec<Frame> {
        std::mem::take(&mut self.sockets.get_mut(&slot).expect("an open socket").received)
    }

    /// The frames that a socket received since it was asked last, which it still has.
    #[must_use]
    pub fn frames(&self, slot: Slot) -> &[Frame] {
        self.sockets.get(&slot).map_or(&[], |socket| &socket.received)
    }

    /// Drops the first frame that a socket received.
    pub fn drop_first_frame(&mut self, slot: Slot) {
        self.sockets.get_mut(&slot).expect("an open socket").received.remove(0);
    }

    /// The slot of a connection with a socket.
    #[must_use]
    pub fn slot_of(&self, id: &str) -> Option<Slot> {
        let is_its = |socket: &Socket| {
            Attachment::decode(&socket.attachment).is_some_and(|known| known.connection.as_str() == id)
        };
        self.sockets.iter().find(|(_, socket)| is_its(socket)).map(|(slot, _)| *slot)
    }

    pub(super) fn deliver(&mut self, slot: Slot, frame: Frame) {
        self.sockets.get_mut(&slot).expect("frames go to open sockets").received.push(frame);
    }
}

pub(super) fn spelled_out(frame: &Frame) -> String {
    match frame {
        Frame::Text(text) => text.clone(),
        Frame::Binary(bytes) => format!("binary {bytes:?}"),
    }
}

//! An MQTT client of a test shard.

use webpubsub_mqtt::{
    Ack, Connack, Connect, Disconnect, DownstreamDecoder, DownstreamPacket, PacketId, Properties, Property,
    Publish, Qos, ReasonCode, Subscribe, Subscription, UpstreamPacket, Version,
};
use webpubsub_protocol::client::{Frame, Subprotocol};
use webpubsub_shard::{ConnectRequest, Input, Slot};

use crate::shard::{TestShard, json};

/// An MQTT client that may do everything with every group.
pub fn mqtt(user_id: &str) -> ConnectRequest {
    ConnectRequest { subprotocol: Subprotocol::Mqtt, ..json(user_id) }
}

/// A client on one socket.
#[derive(Debug)]
pub struct MqttClient {
    /// Its slot, now.
    pub slot: Slot,
    /// What it speaks.
    pub version: Version,
}

impl MqttClient {
    /// Opens a socket.
    pub fn open(shard: &mut TestShard, request: ConnectRequest, version: Version) -> Self {
        let slot = shard.connect(request).expect("the shard has room");
        Self { slot, version }
    }

    /// A CONNECT with this client id, a clean start and a keep-alive of 60 s.
    pub fn hello(version: Version, id: &str) -> Connect {
        Connect {
            version,
            clean_start: true,
            keep_alive: 60,
            client_id: id.to_owned(),
            will: None,
            user_name: None,
            password: None,
            properties: Properties::default(),
        }
    }

    /// A CONNECT of MQTT 5.0 that goes on with a session, which outlives its socket by 30 s.
    pub fn resumable(id: &str) -> Connect {
        let mut connect = Connect { clean_start: false, ..Self::hello(Version::V5, id) };
        connect.properties.push_number(Property::SessionExpiryInterval, 30);
        connect
    }

    /// Opens a socket of a user of the client's id, and connects.
    pub fn joined(shard: &mut TestShard, connect: Connect) -> Self {
        Self::connected(shard, mqtt(&connect.client_id), connect).0
    }

    /// Opens a socket, connects, and takes the CONNACK, which says yes. The client is in `slot` then.
    pub fn connected(shard: &mut TestShard, request: ConnectRequest, connect: Connect) -> (Self, Connack) {
        let mut client = Self::open(shard, request, connect.version);
        let id = connect.client_id.clone();
        client.send(shard, &UpstreamPacket::Connect(Box::new(connect)));
        let connack = |packets: &[DownstreamPacket]| match packets {
            [DownstreamPacket::Connack(connack), ..] => connack.clone(),
            packets => panic!("CONNECT is answered with {packets:?}"),
        };
        if !shard.is_open(client.slot) {
            client.slot = shard.slot_of(&id).expect("the session has the socket");
        }
        let packets = client.peek(shard);
        let connack = connack(&packets);
        assert_eq!(connack.reason, ReasonCode::SUCCESS, "{connack:?}");
        shard.drop_first_frame(client.slot);
        (client, connack)
    }

    /// Sends a packet in one message.
    pub fn send(&self, shard: &mut TestShard, packet: &UpstreamPacket) {
        self.send_bytes(shard, packet.encode(self.version));
    }

    /// Sends a message.
    pub fn send_bytes(&self, shard: &mut TestShard, bytes: Vec<u8>) {
        shard.input(Input::Frame { from: self.slot, frame: Frame::Binary(bytes) });
    }

    /// Subscribes to a topic.
    pub fn subscribe(&self, shard: &mut TestShard, id: u16, topic: &str, qos: Qos) {
        let subscription = Subscription {
            filter: topic.to_owned(),
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: 0,
        };
        self.subscribe_with(shard, id, subscription, Properties::default());
    }

    /// Subscribes with options.
    pub fn subscribe_with(
        &self,
        shard: &mut TestShard,
        id: u16,
        subscription: Subscription,
        properties: Properties,
    ) {
        let packet_id = PacketId::new(id).expect("a packet id");
        let subscriptions = vec![subscription];
        self.send(shard, &UpstreamPacket::Subscribe(Subscribe { packet_id, subscriptions, properties }));
    }

    /// Publishes.
    pub fn publish(&self, shard: &mut TestShard, topic: &str, qos: Qos, id: u16, payload: &str) {
        self.send(shard, &UpstreamPacket::Publish(Self::message(topic, qos, id, payload)));
    }

    /// A PUBLISH.
    pub fn message(topic: &str, qos: Qos, id: u16, payload: &str) -> Publish {
        Publish {
            qos,
            topic: topic.to_owned(),
            packet_id: if qos == Qos::AtMostOnce { None } else { PacketId::new(id) },
            payload: payload.as_bytes().to_vec(),
            ..Publish::default()
        }
    }

    /// An acknowledgement.
    pub fn ack(id: u16) -> Ack {
        Ack::new(PacketId::new(id).expect("a packet id"), ReasonCode::SUCCESS)
    }

    /// Leaves.
    pub fn disconnect(&self, shard: &mut TestShard) {
        self.send(shard, &UpstreamPacket::Disconnect(Disconnect::default()));
    }

    /// What it received since it was asked last.
    pub fn take(&self, shard: &mut TestShard) -> Vec<DownstreamPacket> {
        let frames = shard.take_frames(self.slot);
        decode(self.version, &frames)
    }

    /// What it received since it was asked last, which it will receive again.
    fn peek(&self, shard: &TestShard) -> Vec<DownstreamPacket> {
        decode(self.version, shard.frames(self.slot))
    }

    /// What it received, in short: a line for each packet.
    pub fn read(&self, shard: &mut TestShard) -> Vec<String> {
        self.take(shard).iter().map(words).collect()
    }

    /// The packets in frames.
    pub fn packets(version: Version, frames: &[Frame]) -> Vec<DownstreamPacket> {
        decode(version, frames)
    }

    /// What the socket that was closed last received before that, and the code that it was closed with.
    pub fn last_words(shard: &TestShard, version: Version) -> (Vec<DownstreamPacket>, u16) {
        let closed = shard.closed.last().expect("a closed socket");
        (decode(version, &closed.frames), closed.code)
    }
}

fn decode(version: Version, frames: &[Frame]) -> Vec<DownstreamPacket> {
    let mut decoder = DownstreamDecoder::new(version, 1 << 28);
    let mut packets = Vec::new();
    for frame in frames {
        let Frame::Binary(bytes) = frame else { panic!("MQTT clients receive binary messages: {frame:?}") };
        decoder.feed(bytes.clone());
        while let Some(packet) = decoder.next_packet().expect("a packet") {
            packets.push(packet);
        }
    }
    packets
}

/// A packet in short.
fn words(packet: &DownstreamPacket) -> String {
    let ack = |name: &str, ack: &Ack| match ack.reason {
        ReasonCode::SUCCESS => format!("{name} {}", ack.packet_id),
        reason => format!("{name} {} {:#04x}", ack.packet_id, reason.0),
    };
    match packet {
        DownstreamPacket::Connack(connack) => {
            format!("connack {:#04x} {}", connack.reason.0, connack.session_present)
        }
        DownstreamPacket::Publish(publish) => {
            let id = publish.packet_id.map(|id| format!(" #{id}")).unwrap_or_default();
            let dup = if publish.dup { " dup" } else { "" };
            let payload = String::from_utf8_lossy(&publish.payload);
            format!("{} q{}{id}{dup} {payload}", publish.topic, publish.qos as u8)
        }
        DownstreamPacket::Puback(one) => ack("puback", one),
        DownstreamPacket::Pubrec(one) => ack("pubrec", one),
        DownstreamPacket::Pubrel(one) => ack("pubrel", one),
        DownstreamPacket::Pubcomp(one) => ack("pubcomp", one),
        DownstreamPacket::Suback(results) => {
            format!(
                "suback {} {:?}",
                results.packet_id,
                results.reasons.iter().map(|r| r.0).collect::<Vec<_>>()
            )
        }
        DownstreamPacket::Unsuback(results) => {
            format!(
                "unsuback {} {:?}",
                results.packet_id,
                results.reasons.iter().map(|r| r.0).collect::<Vec<_>>()
            )
        }
        DownstreamPacket::Pingresp => "pingresp".to_owned(),
        DownstreamPacket::Disconnect(disconnect) => format!("disconnect {:#04x}", disconnect.reason.0),
    }
}

//! MQTT 3.1.1: a client subscribes to one topic at the QoS at which messages are published.

use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use tokio_tungstenite::tungstenite::Message;
use webpubsub_mqtt::{
    Ack, Connect, DownstreamDecoder, DownstreamPacket, PacketId, Properties, Publish, Qos, ReasonCode,
    Subscribe, Subscription, UpstreamPacket, Version,
};

use super::{Incoming, payload};

const VERSION: Version = Version::V3_1_1;
/// In seconds: the longest that a client of 3.1.1 may ask this service for.
const KEEP_ALIVE: u16 = 180;
/// More bytes than any answer has.
const LARGEST_ANSWER: usize = 1024;

/// The packets of a new client, in one message: CONNECT, and SUBSCRIBE to its topic. One without a topic asks with
/// PINGREQ whether it is connected.
pub(super) fn hello(topic: Option<&str>, qos: Qos) -> Message {
    static CLIENTS: AtomicU32 = AtomicU32::new(0);
    let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
    let connect = Connect {
        version: VERSION,
        clean_start: true,
        keep_alive: KEEP_ALIVE,
        client_id: format!("load{}n{number}", std::process::id()),
        will: None,
        user_name: None,
        password: None,
        properties: Properties::default(),
    };
    let next = topic.map_or(UpstreamPacket::Pingreq, |topic| {
        UpstreamPacket::Subscribe(Subscribe {
            packet_id: PacketId::MIN,
            subscriptions: vec![Subscription {
                filter: topic.to_owned(),
                qos,
                no_local: false,
                retain_as_published: false,
                retain_handling: 0,
            }],
            properties: Properties::default(),
        })
    });
    let mut bytes = UpstreamPacket::Connect(Box::new(connect)).encode(VERSION);
    bytes.append(&mut next.encode(VERSION));
    Message::binary(bytes)
}

/// A PINGREQ.
pub(super) fn ping() -> Message {
    Message::binary(UpstreamPacket::Pingreq.encode(VERSION))
}

/// A PUBLISH. Packet identifiers are used in turn: far fewer than there are will be on their way.
pub(super) fn publish(topic: &str, qos: Qos, data: String) -> Message {
    static PACKETS: AtomicU16 = AtomicU16::new(0);
    let packet_id = (qos != Qos::AtMostOnce)
        .then(|| PacketId::new(PACKETS.fetch_add(1, Ordering::Relaxed)).unwrap_or(PacketId::MAX));
    let publish =
        Publish { qos, topic: topic.to_owned(), packet_id, payload: data.into_bytes(), ..Publish::default() };
    Message::binary(UpstreamPacket::Publish(publish).encode(VERSION))
}

/// Reads a message with one packet.
pub(super) fn read(bytes: &[u8]) -> Incoming {
    match bytes.first() {
        Some(first) if first >> 4 == 3 => delivery(*first, bytes).unwrap_or(Incoming::Other),
        Some(_) => answer(bytes),
        None => Incoming::Other,
    }
}

/// A PUBLISH: what is behind its length, topic and packet identifier is the payload.
fn delivery(first: u8, bytes: &[u8]) -> Option<Incoming> {
    let length = bytes.iter().skip(1).position(|byte| byte & 0x80 == 0)? + 1;
    let (size, rest) = bytes.get(1 + length..)?.split_first_chunk::<2>()?;
    let rest = rest.get(usize::from(u16::from_be_bytes(*size))..)?;
    if first & 0b110 == 0 {
        return Some(payload(rest, None));
    }
    let (id, rest) = rest.split_first_chunk::<2>()?;
    let id = PacketId::new(u16::from_be_bytes(*id))?;
    let Incoming::Message { number, sequence_id, .. } = payload(rest, None) else { return None };
    let puback = UpstreamPacket::Puback(Ack::new(id, ReasonCode::SUCCESS)).encode(VERSION);
    Some(Incoming::Message { number, sequence_id, reply: Some(Message::binary(puback)) })
}

/// SUBACK and PINGRESP end the greeting; a refused CONNACK ends the connection.
fn answer(bytes: &[u8]) -> Incoming {
    let mut decoder = DownstreamDecoder::new(VERSION, LARGEST_ANSWER);
    decoder.feed(bytes.to_vec());
    match decoder.next_packet() {
        Ok(Some(DownstreamPacket::Suback(_) | DownstreamPacket::Pingresp)) => {
            Incoming::Greeting { recovery: None }
        }
        _ => Incoming::Other,
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_mqtt::Decoder;

    use super::*;

    fn packets(message: Message) -> Vec<UpstreamPacket> {
        let mut decoder = Decoder::new(1 << 20);
        decoder.feed(UpstreamPacket::Connect(Box::new(connect())).encode(VERSION));
        decoder.feed(message.into_data().to_vec());
        std::iter::from_fn(|| decoder.next_packet().unwrap()).skip(1).collect()
    }

    fn connect() -> Connect {
        let Message::Binary(bytes) = hello(None, Qos::AtMostOnce) else { panic!("not binary") };
        let mut decoder = Decoder::new(1 << 20);
        decoder.feed(bytes.to_vec());
        let Ok(Some(UpstreamPacket::Connect(connect))) = decoder.next_packet() else { panic!("no CONNECT") };
        *connect
    }

    fn sent(qos: Qos) -> Message {
        let [UpstreamPacket::Publish(publish)] =
            &packets(publish("group0", qos, super::super::numbered(35, 64)))[..]
        else {
            panic!("not one PUBLISH")
        };
        Message::binary(DownstreamPacket::Publish(publish.clone()).encode(VERSION))
    }

    #[test]
    fn no_two_mqtt_clients_share_a_client_id() {
        assert_ne!(connect().client_id, connect().client_id);
    }

    #[test]
    fn an_mqtt_message_is_read_at_every_qos() {
        let bytes = sent(Qos::AtMostOnce).into_data();
        assert_eq!(read(&bytes), Incoming::Message { number: 35, sequence_id: None, reply: None });
        let bytes = sent(Qos::AtLeastOnce).into_data();
        let Incoming::Message { number: 35, reply: Some(reply), .. } = read(&bytes) else {
            panic!("{bytes:?}")
        };
        assert!(matches!(packets(reply)[..], [UpstreamPacket::Puback(_)]));
    }

    #[test]
    fn an_mqtt_client_is_ready_once_it_is_subscribed() {
        let suback = [0x90, 3, 0, 1, 0];
        assert_eq!(read(&suback), Incoming::Greeting { recovery: None });
        let connack = [0x20, 2, 0, 0];
        assert_eq!(read(&connack), Incoming::Other);
    }
}

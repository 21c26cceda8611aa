//! Decoders of MQTT packets.

use webpubsub_mqtt::{
    DecodeError, Decoder as PacketDecoder, DownstreamDecoder, DownstreamPacket, UpstreamPacket, Version,
};

use super::{Answer, Decoder};
use crate::corpus::{bytes, texts};

const LIMIT: usize = 9_000;

const PIECES: &[&[u8]] = &[
    &[0x00],
    &[0x80],
    &[0xff, 0xff, 0xff, 0x7f],
    &[0xc0, 0x00],
    &[0x30, 0x03, 0x00, 0x01, b'g'],
    &[0x82, 0x06, 0x00, 0x01, 0x00, 0x01, b'g', 0x02],
    &[0x26, 0x00, 0x01, b'k', 0x00, 0x01, b'v'],
    &[0x0b, 0x01],
    &[0x23, 0x00, 0x01],
    &[0x11, 0x00, 0x00, 0x00, 0x1e],
    &[0x00, 0x04, b'M', b'Q', b'T', b'T'],
    b"\xed\xa0\x80",
];

/// CONNECT of each version, behind which anything may come.
const CONNECTS: [&[u8]; 2] = [
    &[0x10, 0x0d, 0x00, 0x04, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, 1, b'a'],
    &[0x10, 0x0e, 0x00, 0x04, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0, 0, 1, b'a'],
];

pub(super) fn decoders() -> Vec<Decoder> {
    let packets = texts(&["mqtt/upstream", "mqtt/upstream-refused"], "input");
    let packets: Vec<Vec<u8>> = packets.iter().map(|hex| bytes(hex)).collect();
    let mut streams: Vec<Vec<u8>> = CONNECTS
        .iter()
        .flat_map(|connect| packets.iter().map(|packet| [connect, &packet[..]].concat()))
        .collect();
    streams.extend(packets.iter().filter(|packet| packet.first() == Some(&0x10)).cloned());
    let deliveries = packets.into_iter().chain(ANSWERS.iter().map(|answer| answer.to_vec())).collect();
    vec![
        Decoder::new("mqtt-upstream", streams, PIECES, upstream),
        Decoder::new("mqtt-downstream", deliveries, PIECES, downstream),
    ]
}

/// Packets that only the service sends.
const ANSWERS: [&[u8]; 6] = [
    &[0x20, 0x02, 0x01, 0x00],
    &[0x20, 0x06, 0x00, 0x87, 0x03, 0x21, 0x00, 0x14],
    &[0x90, 0x04, 0x00, 0x01, 0x00, 0x87],
    &[0xb0, 0x04, 0x00, 0x01, 0x00, 0x11],
    &[0xd0, 0x00],
    &[0xe0, 0x06, 0x8e, 0x04, 0x1f, 0x00, 0x01, b'x'],
];

/// What is accepted reads the same in any cut, and again once it is written.
fn upstream(input: &[u8]) -> Answer {
    let mut whole = PacketDecoder::new(LIMIT);
    whole.feed(input.to_vec());
    let packets = drain(&mut whole);
    let mut pieces = PacketDecoder::new(LIMIT);
    let (mut read, mut error) = (Vec::new(), None);
    for piece in input.chunks(7) {
        pieces.feed(piece.to_vec());
        let (more, ended) = drain(&mut pieces);
        read.extend(more);
        error = error.or(ended);
    }
    assert_eq!((&read, error), (&packets.0, packets.1));
    assert_eq!(pieces.version(), whole.version());
    if let Some(version) = whole.version() {
        let mut again = PacketDecoder::new(usize::MAX);
        for packet in &packets.0 {
            again.feed(packet.encode(version));
            assert_eq!(again.next_packet().as_ref(), Ok(&Some(packet.clone())));
        }
    }
    Answer::from(packets.1.is_none() && !packets.0.is_empty())
}

fn drain(decoder: &mut PacketDecoder) -> (Vec<UpstreamPacket>, Option<DecodeError>) {
    let mut packets = Vec::new();
    loop {
        match decoder.next_packet() {
            Ok(Some(packet)) => packets.push(packet),
            Ok(None) => return (packets, None),
            Err(error) => {
                assert_eq!(decoder.next_packet(), Err(error));
                return (packets, Some(error));
            }
        }
    }
}

fn downstream(input: &[u8]) -> Answer {
    let answers = [Version::V3_1_1, Version::V5].map(|version| {
        let mut decoder = DownstreamDecoder::new(version, LIMIT);
        decoder.feed(input.to_vec());
        let mut packets: Vec<DownstreamPacket> = Vec::new();
        while let Ok(Some(packet)) = decoder.next_packet() {
            packets.push(packet);
        }
        let mut again = DownstreamDecoder::new(version, usize::MAX);
        for packet in &packets {
            again.feed(packet.encode(version));
            assert_eq!(again.next_packet().as_ref(), Ok(&Some(packet.clone())));
        }
        !packets.is_empty()
    });
    Answer::from(answers.contains(&true))
}

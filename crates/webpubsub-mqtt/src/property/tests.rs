//! Properties, read and written; which packets may have them, and how often.

use super::*;

fn read(bytes: &[u8], place: u16) -> Result<Properties, DecodeError> {
    let length = [u8::try_from(bytes.len()).unwrap()];
    Properties::read(&mut Reader::new(&[&length, bytes].concat()), place)
}

/// One property with a value that it may have, and what it needs beside it.
fn example(property: Property, kind: Kind) -> Properties {
    let mut properties = Properties::default();
    match kind {
        Kind::Flag => properties.push_number(property, 1),
        Kind::U16 | Kind::Positive16 => properties.push_number(property, 0xfedc),
        Kind::U32 | Kind::Positive32 => properties.push_number(property, 0xfedc_ba98),
        Kind::Variable => properties.push_number(property, 268_435_455),
        Kind::Text => properties.push_text(property, "ü\u{feff}"),
        Kind::Binary => properties.push_binary(property, [0, 0xff]),
        Kind::Pair => properties.push_user("", "v"),
    }
    if property == Property::AuthenticationData {
        properties.push_text(Property::AuthenticationMethod, "m");
    }
    properties
}

fn written(properties: &Properties, place: u16) -> Vec<u8> {
    let mut writer = Writer::default();
    properties.write(place, &mut writer);
    writer.0
}

fn every_place() -> impl Iterator<Item = u16> {
    (0..11).map(|bit| 1 << bit)
}

#[test]
fn every_property_is_read_as_written() {
    for (property, kind, places) in TABLE {
        let properties = example(property, kind);
        for place in every_place() {
            let expected = if places & place == 0 { Properties::default() } else { properties.clone() };
            let bytes = written(&properties, place);
            assert_eq!(Properties::read(&mut Reader::new(&bytes), place), Ok(expected), "{property:?}");
        }
    }
}

#[test]
fn other_properties_are_malformed() {
    for (property, kind, places) in TABLE {
        let somewhere = every_place().find(|place| places & place != 0).unwrap();
        let bytes = written(&example(property, kind), somewhere);
        for place in every_place().filter(|place| places & place == 0) {
            let refused = Properties::read(&mut Reader::new(&bytes), place);
            assert_eq!(refused, Err(DecodeError::UnknownProperty), "{property:?}");
        }
    }
    let is_unknown = |id: &u8| !TABLE.iter().any(|(property, ..)| *property as u8 == *id);
    for id in (0..0x80).filter(is_unknown) {
        assert_eq!(read(&[id, 0], place::CONNECT), Err(DecodeError::UnknownProperty), "{id:x}");
    }
}

#[test]
fn a_property_twice_is_a_protocol_error() {
    let twice = [0x21, 0, 9, 0x21, 0, 9];
    assert_eq!(read(&twice, place::CONNECT), Err(DecodeError::DuplicateProperty));
    let identifiers = [0x0b, 1, 0x0b, 2];
    assert_eq!(read(&identifiers, place::SUBSCRIBE), Err(DecodeError::DuplicateProperty));
    let many = read(&identifiers, place::DELIVERY).unwrap();
    assert_eq!(many.numbers(Property::SubscriptionIdentifier).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn user_properties_keep_order_and_doubles() {
    let pairs = [("a", "1"), ("b", "2"), ("a", "3"), ("a", "3")];
    let mut properties = Properties::default();
    for (name, value) in pairs {
        properties.push_user(name, value);
    }
    let bytes = written(&properties, place::DELIVERY);
    let read = Properties::read(&mut Reader::new(&bytes), place::PUBLISH).unwrap();
    assert_eq!(read.user().collect::<Vec<_>>(), pairs);
}

#[test]
fn user_properties_are_counted() {
    let many = |count| {
        let mut properties = Properties::default();
        (0..count).for_each(|_| properties.push_user("", ""));
        let bytes = written(&properties, place::PUBLISH);
        Properties::read(&mut Reader::new(&bytes), place::PUBLISH).map(|read| read.user().count())
    };
    assert_eq!(many(MAX_USER_PROPERTIES), Ok(MAX_USER_PROPERTIES));
    assert_eq!(many(MAX_USER_PROPERTIES + 1), Err(DecodeError::TooMany));
}

#[test]
fn values_out_of_range_are_protocol_errors() {
    let cases: [(&[u8], u16); 9] = [
        (&[0x21, 0, 0], place::CONNECT),
        (&[0x27, 0, 0, 0, 0], place::CONNECT),
        (&[0x17, 2], place::CONNECT),
        (&[0x01, 2], place::PUBLISH),
        (&[0x0b, 0], place::SUBSCRIBE),
        // Authentication data without a method ([MQTT 5.0, 3.1.2.11.10]).
        (&[0x16, 0, 1, 7], place::CONNECT),
        (&[0x08, 0, 0], place::PUBLISH),
        (&[0x08, 0, 1, b'#'], place::PUBLISH),
        (&[0x08, 0, 1, b'+'], place::WILL),
    ];
    for (bytes, place) in cases {
        assert_eq!(read(bytes, place), Err(DecodeError::PropertyValue), "{bytes:x?}");
    }
}

#[test]
fn a_length_beyond_the_packet_is_malformed() {
    for bytes in [&[5_u8, 0x21, 0, 9] as &[u8], &[0x80], &[2, 0x21, 0], &[0x80, 0]] {
        let error = Properties::read(&mut Reader::new(bytes), place::CONNECT).unwrap_err();
        assert!(matches!(error, DecodeError::Length | DecodeError::VariableInteger), "{bytes:x?}");
    }
}

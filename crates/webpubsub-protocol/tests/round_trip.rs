//! Whatever a codec writes, it reads back as the same message.
#![expect(clippy::unwrap_used, reason = "the strategies make only what the types allow")]

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use webpubsub_protocol::client::{
    AckError, DownstreamMessage, Echo, Encoding, Frame, GroupState, GroupStateAction, GroupStateItem,
    GroupStates, GroupStatesKind, Origin, StreamAction, StreamAnswer, StreamError, StreamId, StreamPart,
    UpstreamMessage, json,
};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::data::{JsonText, MessageData, Metadata, TimeToLive};
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{ConnectionId, EventName, GroupName, UserId};
use webpubsub_protocol::time::Timestamp;

proptest! {
    #[test]
    fn clients_messages_survive(encoding in encoding(), message in upstream()) {
        prop_assert_eq!(encoding.decode_upstream(&encoding.encode_upstream(&message)), Ok(message));
    }

    #[test]
    fn the_services_messages_survive(encoding in encoding(), message in downstream()) {
        let read = encoding.decode_downstream(&encoding.encode_downstream(message.clone()));
        prop_assert_eq!(read, Ok(Some(as_read(encoding, message))));
    }

    #[test]
    fn a_frame_encoded_for_many_is_the_frame_encoded_for_one(
        encoding in encoding(),
        from in origin(), data in prop_oneof![3 => data(), 1 => large_data()], metadata in metadata(),
        id in option::of(any::<u64>()), stream in option::of(stream_part()),
    ) {
        let sequence_id = id.map(SequenceId);
        let shared = encoding.data_frame(&from, &data, &metadata, stream.as_ref());
        let message = DownstreamMessage::Data { from, data, metadata, sequence_id, stream: stream.map(Box::new) };
        prop_assert!(shared.with(sequence_id) == encoding.encode_downstream(message));
        prop_assert!(shared.with(None) == shared.into_plain());
    }

    #[test]
    fn states_encoded_for_many_are_those_encoded_for_one(
        encoding in encoding(), states in group_states(), id in option::of(any::<u64>()),
    ) {
        let sequence_id = id.map(SequenceId);
        let shared = encoding.states_frame(&states);
        let message = DownstreamMessage::GroupStates { states, sequence_id };
        prop_assert!(shared.with(sequence_id) == encoding.encode_downstream(message));
        prop_assert!(shared.with(None) == shared.into_plain());
    }

    #[test]
    fn a_numbered_json_frame_is_head_number_and_tail(
        from in origin(), data in data(), metadata in metadata(), id in any::<u64>(),
    ) {
        let shared = json::DataFrame::new(&from, &data, &metadata, None);
        let joined =
            format!("{}{}{id}{}", shared.head(), json::DataFrame::BEFORE_SEQUENCE_ID, json::DataFrame::TAIL);
        prop_assert_eq!(joined, shared.with(Some(SequenceId(id))));
    }

    #[test]
    fn frames_of_the_other_kind_are_no_messages(encoding in encoding(), message in upstream()) {
        let turned = match encoding.encode_upstream(&message) {
            Frame::Text(text) => Frame::Binary(text.into_bytes()),
            Frame::Binary(bytes) => Frame::Text(String::from_utf8_lossy(&bytes).into()),
        };
        prop_assert_eq!(encoding.decode_upstream(&turned).unwrap_err().code(), CloseCode::UNSUPPORTED_DATA);
        prop_assert_eq!(encoding.decode_downstream(&turned), Ok(None));
    }
}

/// What a client reads of a message: protobuf does not say which user published.
fn as_read(encoding: Encoding, mut message: DownstreamMessage) -> DownstreamMessage {
    if let (Encoding::Protobuf, DownstreamMessage::Data { from: Origin::Group { from_user, .. }, .. }) =
        (encoding, &mut message)
    {
        *from_user = None;
    }
    message
}

fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![Just(Encoding::Json), Just(Encoding::Protobuf)]
}

fn upstream() -> impl Strategy<Value = UpstreamMessage> {
    let ack_id = || option::of(any::<u64>().prop_map(AckId));
    prop_oneof![
        (group(), ack_id()).prop_map(|(group, ack_id)| UpstreamMessage::JoinGroup { group, ack_id }),
        (group(), ack_id()).prop_map(|(group, ack_id)| UpstreamMessage::LeaveGroup { group, ack_id }),
        (group(), ack_id(), echo(), 0..=300_u64, data(), metadata()).prop_map(
            |(group, ack_id, echo, seconds, data, metadata)| UpstreamMessage::SendToGroup {
                group,
                ack_id,
                echo,
                ttl: TimeToLive::from_seconds(seconds).unwrap(),
                data,
                metadata,
            }
        ),
        (event(), ack_id(), data(), metadata()).prop_map(|(event, ack_id, data, metadata)| {
            UpstreamMessage::Event { event, ack_id, data, metadata }
        }),
        (invocation(), event(), data(), metadata()).prop_map(|(invocation_id, event, data, metadata)| {
            UpstreamMessage::Invoke { invocation_id, event, data, metadata }
        }),
        invocation().prop_map(|invocation_id| UpstreamMessage::CancelInvocation { invocation_id }),
        (stream_id(), stream_action())
            .prop_map(|(stream_id, action)| UpstreamMessage::Stream { stream_id, action }),
        (group(), ack_id(), group_state_action())
            .prop_map(|(group, ack_id, action)| { UpstreamMessage::GroupState { group, ack_id, action } }),
        Just(UpstreamMessage::Ping),
        any::<u64>().prop_map(|id| UpstreamMessage::SequenceAck { sequence_id: SequenceId(id) }),
    ]
}

fn downstream() -> impl Strategy<Value = DownstreamMessage> {
    prop_oneof![
        (connection(), option::of(user()), option::of(any::<String>())).prop_map(
            |(connection_id, user_id, reconnection_token)| DownstreamMessage::Connected {
                connection_id,
                user_id,
                reconnection_token,
            }
        ),
        any::<String>().prop_map(|message| DownstreamMessage::Disconnected { message }),
        (origin(), data(), metadata(), option::of(any::<u64>()), option::of(stream_part())).prop_map(
            |(from, data, metadata, id, stream)| DownstreamMessage::Data {
                from,
                data,
                metadata,
                sequence_id: id.map(SequenceId),
                stream: stream.map(Box::new),
            }
        ),
        (any::<u64>(), option::of((any::<String>(), any::<String>()))).prop_map(|(id, error)| {
            let result = match error {
                None => Ok(()),
                Some((name, message)) => Err(AckError { name: name.into(), message }),
            };
            DownstreamMessage::Ack { ack_id: AckId(id), result }
        }),
        (invocation(), option::of(data())).prop_map(|(invocation_id, data)| {
            DownstreamMessage::InvokeResponse { invocation_id, result: Ok(data) }
        }),
        (invocation(), any::<String>(), any::<String>()).prop_map(|(invocation_id, name, message)| {
            let result = Err(AckError { name: name.into(), message });
            DownstreamMessage::InvokeResponse { invocation_id, result }
        }),
        (stream_id(), stream_answer())
            .prop_map(|(stream_id, answer)| DownstreamMessage::Stream { stream_id, answer }),
        (group_states(), option::of(any::<u64>())).prop_map(|(states, id)| DownstreamMessage::GroupStates {
            states,
            sequence_id: id.map(SequenceId),
        }),
        Just(DownstreamMessage::Pong),
    ]
}

fn stream_action() -> impl Strategy<Value = StreamAction> {
    let ack_id = option::of(any::<u64>().prop_map(AckId));
    prop_oneof![
        (group(), ack_id, echo(), option::of(any::<u32>())).prop_map(|(group, ack_id, echo, idle_millis)| {
            StreamAction::Start { group, ack_id, echo, idle_millis }
        }),
        (1_u64.., data()).prop_map(|(sequence_id, data)| StreamAction::Data { sequence_id, data }),
        Just(StreamAction::KeepAlive),
        Just(StreamAction::End { error: None }),
        (option::of(any::<String>()), option::of(any::<String>())).prop_map(|(message, code)| {
            StreamAction::End { error: Some(StreamError::of_user(message, code)) }
        }),
    ]
}

fn stream_answer() -> impl Strategy<Value = StreamAnswer> {
    prop_oneof![
        any::<u64>().prop_map(|expected| StreamAnswer::Ack { expected }),
        (any::<String>(), any::<String>(), any::<u64>()).prop_map(|(name, message, expected)| {
            StreamAnswer::Nack { name: name.into(), message, expected }
        }),
        option::of((any::<String>(), any::<String>())).prop_map(|error| {
            let error = error.map(|(name, message)| AckError { name: name.into(), message });
            StreamAnswer::Closed { error }
        }),
    ]
}

fn stream_part() -> impl Strategy<Value = StreamPart> {
    let error = (any::<String>(), option::of(any::<String>()), option::of(any::<String>())).prop_map(
        |(name, message, user_error_code)| StreamError { name: name.into(), message, user_error_code },
    );
    let end = prop_oneof![Just(None), Just(Some(Ok(()))), error.prop_map(|error| Some(Err(error)))];
    (stream_id(), any::<u64>(), end).prop_map(|(stream_id, sequence_id, end)| StreamPart {
        stream_id,
        sequence_id,
        end,
    })
}

fn stream_id() -> impl Strategy<Value = StreamId> {
    any::<String>().prop_filter_map("empty, or too long", |text| StreamId::parse(text).ok())
}

fn data() -> impl Strategy<Value = MessageData> {
    prop_oneof![
        any::<String>().prop_map(MessageData::Text),
        json_text().prop_map(|text| MessageData::Json(JsonText::parse(text).unwrap())),
        vec(any::<u8>(), 0..64).prop_map(MessageData::Binary),
        serialized_any().prop_map(MessageData::Protobuf),
    ]
}

/// Payloads that are not copied, with and without what JSON escapes.
fn large_data() -> impl Strategy<Value = MessageData> {
    let text = ("[\0-é\"\\\\]{1,9}", 30_000..31_000_usize).prop_map(|(text, times)| text.repeat(times));
    prop_oneof![
        text.clone().prop_map(MessageData::Text),
        text.prop_map(|text| {
            let text = format!(" {}\n", serde_json::to_string(&text).unwrap());
            MessageData::Json(JsonText::parse(text).unwrap())
        }),
        vec(any::<u8>(), 70_000..70_003).prop_map(MessageData::Binary),
    ]
}

/// Fields of an `Any`, known and unknown, in any order and number.
fn serialized_any() -> impl Strategy<Value = Vec<u8>> {
    let field = prop_oneof![
        "[ -~é]{0,40}".prop_map(|url| (0x0a, url.into_bytes())),
        vec(any::<u8>(), 0..64).prop_map(|value| (0x12, value)),
        vec(any::<u8>(), 0..8).prop_map(|unknown| (0x1a, unknown)),
    ];
    vec(field, 0..4).prop_map(|fields| {
        let field =
            |(tag, bytes): (u8, Vec<u8>)| [vec![tag, bytes.len().try_into().unwrap()], bytes].concat();
        fields.into_iter().flat_map(field).collect()
    })
}

/// Any JSON value but `null`, with white space and numbers that no float holds.
fn json_text() -> impl Strategy<Value = String> {
    let blank = || "[ \t\n]{0,2}";
    let leaf = prop_oneof![
        Just("true".to_owned()),
        Just("false".to_owned()),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just(r#""\ud83d\ude00\u0000\/""#.to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let item = (blank(), prop_oneof![inner.clone(), Just("null".to_owned())], blank())
            .prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let member = (any::<String>(), item.clone())
            .prop_map(|(name, value)| format!("{}:{value}", serde_json::to_string(&name).unwrap()));
        prop_oneof![
            vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

fn metadata() -> impl Strategy<Value = Metadata> {
    btree_map("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}", "[ -~]{0,12}", 0..4)
        .prop_map(|entries| Metadata::parse(entries.into_iter().collect()).unwrap())
}

fn state() -> impl Strategy<Value = GroupState> {
    btree_map(any::<String>(), any::<String>(), 0..4).prop_map(|entries| {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into()));
        GroupState::parse(entries.collect()).unwrap()
    })
}

fn group_state_action() -> impl Strategy<Value = GroupStateAction> {
    prop_oneof![
        state().prop_map(GroupStateAction::Set),
        Just(GroupStateAction::Subscribe),
        Just(GroupStateAction::Unsubscribe),
    ]
}

fn group_states() -> impl Strategy<Value = GroupStates> {
    let kind = prop_oneof![Just(GroupStatesKind::Snapshot), Just(GroupStatesKind::Update)];
    let item = (connection(), option::of(user()), option::of(state()), any::<u64>()).prop_map(
        |(connection_id, user_id, state, updated_at)| GroupStateItem {
            connection_id,
            user_id,
            state,
            updated_at: Timestamp::from_millis(updated_at),
        },
    );
    (kind, group(), vec(item, 0..4)).prop_map(|(kind, group, items)| GroupStates { kind, group, items })
}

fn origin() -> impl Strategy<Value = Origin> {
    prop_oneof![
        Just(Origin::Server),
        (group(), option::of(user())).prop_map(|(group, from_user)| Origin::Group { group, from_user }),
    ]
}

fn echo() -> impl Strategy<Value = Echo> {
    prop_oneof![Just(Echo::Send), Just(Echo::Skip)]
}

fn group() -> impl Strategy<Value = GroupName> {
    any::<String>().prop_filter_map("blank", |text| GroupName::parse(text).ok())
}

fn user() -> impl Strategy<Value = UserId> {
    any::<String>().prop_filter_map("blank", |text| UserId::parse(text).ok())
}

fn connection() -> impl Strategy<Value = ConnectionId> {
    any::<String>().prop_filter_map("blank", |text| ConnectionId::parse(text).ok())
}

fn invocation() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("an invocation's id is not empty", |id| !id.is_empty())
}

fn event() -> impl Strategy<Value = EventName> {
    "[A-Za-z][A-Za-z0-9_.-]{0,127}".prop_map(|text| EventName::parse(text).unwrap())
}

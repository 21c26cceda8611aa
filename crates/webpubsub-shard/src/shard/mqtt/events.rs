//! Events that MQTT clients publish, and the answers to them.

use webpubsub_mqtt::{Properties, Property, Qos, ReasonCode};
use webpubsub_protocol::client::Origin;
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::event_handler::{Event, MqttReply, MqttRequest as EventRequest, Reply};
use webpubsub_protocol::name::{EventName, GroupName};

use crate::error::Refusal;
use crate::event_queue::{MqttRequest, ReplyTarget};
use crate::mqtt::Content;
use crate::publish::{Publish, Reach};
use crate::shard::Shard;
use crate::shard::mqtt::subscribe::{EVENT_TOPICS, FAILED, SUCCEEDED};
use crate::slot::Slot;
use crate::step::Step;

impl Shard {
    /// Queues a client's event. Returns what became of it: the answer comes as a message.
    ///
    /// Source: docs/spec/mqtt.md#user-events.
    pub(super) fn send_request(
        &mut self,
        slot: Slot,
        topic: &str,
        qos: Qos,
        properties: &Properties,
        payload: Vec<u8>,
        step: &mut Step,
    ) -> ReasonCode {
        let name = topic.strip_prefix(EVENT_TOPICS).and_then(|name| EventName::parse(name).ok());
        let Some(name) = name else { return ReasonCode::TOPIC_NAME_INVALID };
        let correlation = properties.binary(Property::CorrelationData).map(<[u8]>::to_vec);
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let users = properties.user().map(own).collect();
        let content_type = properties.text(Property::ContentType);
        let Ok(event) = EventRequest::new(name, payload, content_type, users) else {
            return ReasonCode::PAYLOAD_FORMAT_INVALID;
        };
        let request = MqttRequest { topic: topic.to_owned(), qos, correlation };
        let event = Event::MqttUser(Box::new(event));
        self.user_event(slot, event, ReplyTarget::Mqtt(Box::new(request)), step);
        ReasonCode::SUCCESS
    }

    /// Publishes the answer to a client's event, for that client only.
    ///
    /// Source: docs/spec/mqtt.md#user-events.
    pub(crate) fn answer_request(
        &mut self,
        slot: Slot,
        request: MqttRequest,
        result: Result<Reply, Refusal>,
        step: &mut Step,
    ) {
        let MqttRequest { mut topic, qos, correlation } = request;
        let reply = result.ok().and_then(|reply| reply.mqtt);
        let MqttReply { payload, content_type, user_properties, .. } = match reply {
            Some(reply) => {
                topic.push_str(if reply.is_success() { SUCCEEDED } else { FAILED });
                *reply
            }
            None => {
                topic.push_str(FAILED);
                MqttReply::of_failure(None)
            }
        };
        let Ok(group) = GroupName::parse(topic) else { return };
        let from = Origin::Group { group, from_user: None };
        let data = MessageData::Binary(payload);
        let mut publish = Publish { from, ..Publish::by_server(data, Metadata::default()) };
        let mut content = Content { qos, properties: Properties::default() };
        if let Some(content_type) = content_type {
            content.properties.push_text(Property::ContentType, content_type);
        }
        for (name, value) in user_properties {
            content.properties.push_user(name, value);
        }
        if let Some(correlation) = correlation {
            content.properties.push_binary(Property::CorrelationData, correlation);
        }
        publish.mqtt = Some(Box::new(content));
        self.fan_out(&[slot], &publish, Reach::ThisShard, step);
    }
}

//! Events that MQTT clients publish, and the answers to them.

use webpubsub_mqtt::{Properties, Property, Qos, ReasonCode};
use webpubsub_protocol::client::Origin;
use webpubsub_protocol::event_handler::{Event, Reply};
use webpubsub_protocol::name::{EventName, GroupName};

use crate::error::Refusal;
use crate::event_queue::{MqttRequest, ReplyTarget};
use crate::mqtt::{Content, read_message};
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
        properties: Properties,
        payload: Vec<u8>,
        step: &mut Step,
    ) -> ReasonCode {
        let name = topic.strip_prefix(EVENT_TOPICS).and_then(|name| EventName::parse(name).ok());
        let Some(name) = name else { return ReasonCode::TOPIC_NAME_INVALID };
        let correlation = properties.binary(Property::CorrelationData).map(<[u8]>::to_vec);
        let (data, metadata, _) = match read_message(payload, properties, qos) {
            Ok(message) => message,
            Err(reason) => return reason,
        };
        let request = MqttRequest { topic: topic.to_owned(), qos, correlation };
        let event = Event::User { name, data, metadata };
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
        topic.push_str(if result.is_ok() { SUCCEEDED } else { FAILED });
        let Ok(group) = GroupName::parse(topic) else { return };
        let Reply { data, metadata, .. } = result.unwrap_or_default();
        let from = Origin::Group { group, from_user: None };
        let mut publish = Publish { from, ..Publish::by_server(data.unwrap_or_default(), metadata) };
        let mut content = Content { qos, properties: Content::properties_of(&publish) };
        if let Some(correlation) = correlation {
            content.properties.push_binary(Property::CorrelationData, correlation);
        }
        publish.mqtt = Some(Box::new(content));
        self.fan_out(&[slot], &publish, Reach::ThisShard, step);
    }
}

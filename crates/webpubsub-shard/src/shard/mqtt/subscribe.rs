//! Subscriptions of MQTT clients, which are memberships.

use std::slice;

use webpubsub_mqtt::{
    DownstreamPacket, Properties, Property, ReasonCode, Results, Subscribe, Subscription, Unsubscribe,
};
use webpubsub_protocol::name::{EventName, GroupName};
use webpubsub_protocol::role::PermissionType;

use crate::mqtt::{MESSAGES_TOPIC, Options, SYSTEM_TOPICS};
use crate::output::Change;
use crate::shard::Shard;
use crate::slot::Slot;
use crate::step::Step;

/// What the topics of events begin with, before the event's name.
pub(super) const EVENT_TOPICS: &str = "$webpubsub/server/events/";
/// What the topic of an answer ends in.
pub(super) const SUCCEEDED: &str = "/succeeded";
/// What the topic of an answer ends in, if the event failed.
pub(super) const FAILED: &str = "/failed";

impl Shard {
    /// Subscribes to each filter that the client may subscribe to.
    ///
    /// Source: docs/spec/mqtt.md#subscriptions.
    pub(super) fn take_subscribe(&mut self, slot: Slot, subscribe: Subscribe, step: &mut Step) {
        let Subscribe { packet_id, subscriptions, properties } = subscribe;
        let identifier = properties.number(Property::SubscriptionIdentifier).unwrap_or(0);
        let mut reasons = Vec::with_capacity(subscriptions.len());
        for subscription in &subscriptions {
            reasons.push(self.add_subscription(slot, subscription, identifier, step));
        }
        let results = Results { packet_id, reasons, properties: Properties::default() };
        self.send_packet(slot, DownstreamPacket::Suback(results), step);
    }

    fn add_subscription(
        &mut self,
        slot: Slot,
        subscription: &Subscription,
        identifier: u32,
        step: &mut Step,
    ) -> ReasonCode {
        let filter = subscription.filter.as_str();
        if filter.starts_with("$share/") {
            return ReasonCode::SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
        }
        if filter.contains(['+', '#']) {
            return ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;
        }
        let Ok(topic) = GroupName::parse(filter) else { return ReasonCode::TOPIC_FILTER_INVALID };
        let is_system = filter.starts_with(SYSTEM_TOPICS);
        if is_system && !is_answered_on(filter) {
            return ReasonCode::TOPIC_FILTER_INVALID;
        }
        if !is_system && !self.allows(slot, PermissionType::JoinLeaveGroup, &topic) {
            return ReasonCode::NOT_AUTHORIZED;
        }
        let Some(session) = self.session(slot) else { return ReasonCode::UNSPECIFIED_ERROR };
        let is_new = session.subscriptions.get(filter).is_none();
        let has_room = !is_new || self.config.limits.allows_groups(session.subscriptions.len() + 1);
        if !has_room || (!is_system && !self.has_room_for(slot, slice::from_ref(&topic))) {
            return ReasonCode::QUOTA_EXCEEDED;
        }
        if !is_system {
            self.join(slot, &topic, step);
        }
        let options = Options::of(subscription, identifier);
        if self.session_mut(slot).is_some_and(|session| session.subscriptions.insert(&topic, options)) {
            step.store(Change::MqttSubscribe { slot, topic, options: options.encode() });
        }
        subscription.qos.granted()
    }

    /// Ends the subscription to each filter.
    ///
    /// Source: docs/spec/mqtt.md#subscriptions.
    pub(super) fn take_unsubscribe(&mut self, slot: Slot, unsubscribe: &Unsubscribe, step: &mut Step) {
        let reasons = unsubscribe.filters.iter().map(|filter| {
            let Ok(topic) = GroupName::parse(filter.as_str()) else {
                return ReasonCode::NO_SUBSCRIPTION_EXISTED;
            };
            let is_system = filter.starts_with(SYSTEM_TOPICS);
            let connection = self.connections.get(slot);
            let is_member = connection.is_some_and(|connection| connection.groups.contains(&topic));
            let is_subscribed =
                self.session(slot).is_some_and(|session| session.subscriptions.get(filter).is_some());
            if !is_member && !is_subscribed {
                return ReasonCode::NO_SUBSCRIPTION_EXISTED;
            }
            if !is_system && !self.allows(slot, PermissionType::JoinLeaveGroup, &topic) {
                return ReasonCode::NOT_AUTHORIZED;
            }
            if is_member {
                self.leave(slot, &topic, step);
            } else {
                self.forget_subscription(slot, &topic, step);
            }
            ReasonCode::SUCCESS
        });
        let reasons = reasons.collect();
        let results =
            Results { packet_id: unsubscribe.packet_id, reasons, properties: Properties::default() };
        self.send_packet(slot, DownstreamPacket::Unsuback(results), step);
    }

    /// Forgets how a connection subscribes to a topic.
    pub(crate) fn forget_subscription(&mut self, slot: Slot, topic: &GroupName, step: &mut Step) {
        if self.session_mut(slot).is_some_and(|session| session.subscriptions.remove(topic)) {
            step.store(Change::MqttUnsubscribe { slot, topic: topic.clone() });
        }
    }
}

/// Whether the service publishes on a topic that is no group.
fn is_answered_on(topic: &str) -> bool {
    let event = topic.strip_prefix(EVENT_TOPICS);
    let event = event.and_then(|rest| rest.strip_suffix(SUCCEEDED).or(rest.strip_suffix(FAILED)));
    topic == MESSAGES_TOPIC || event.is_some_and(|event| EventName::parse(event).is_ok())
}

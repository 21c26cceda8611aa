//! rumqttc in 5.0.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::Transport;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, LastWill, Packet, PubAckReason, PubCompReason, PubRecReason, SubscribeReasonCode,
    UnsubAckReason,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, StateError};
use serde_json::json;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::device::{Call, Device, decoded, port, qos};

/// Carries a device's calls out, one after the other.
pub(crate) async fn run(device: Device, mut calls: UnboundedReceiver<Call>) {
    let Some(first) = calls.recv().await else { return };
    let (client, mut events) = AsyncClient::new(options(&first), 10);
    if !connected(&first, &mut events).await {
        return;
    }
    let mut pump = Pump::start(device.clone(), events);
    while let Some(call) = calls.recv().await {
        match call.what.as_str() {
            "cut" => {
                pump.stop().await;
                call.answer(json!(null));
            }
            "reconnect" => {
                let mut events = pump.events().await;
                connected(&call, &mut events).await;
                pump = Pump::start(device.clone(), events);
            }
            "disconnect" => {
                let _ = client.disconnect().await;
                call.answer(json!(null));
            }
            "publish" => {
                let qos = call.qos();
                let _ = client.publish(call.text("topic"), level(qos), false, call.bytes("payload")).await;
                let code = if qos == 0 { Some(0) } else { pump.codes.recv().await };
                call.answer(json!(code));
            }
            "subscribe" => {
                let _ = client.subscribe(call.text("topic"), level(call.qos())).await;
                call.answer(json!(pump.codes.recv().await));
            }
            "unsubscribe" => {
                let _ = client.unsubscribe(call.text("topic")).await;
                call.answer(json!(pump.codes.recv().await));
            }
            other => call.fail(other, None),
        }
    }
}

fn options(call: &Call) -> MqttOptions {
    let url = call.text("url");
    let mut options = MqttOptions::new(call.text("id"), &url, port(&url));
    options.set_transport(Transport::Ws);
    options.set_keep_alive(Duration::from_secs(call.options["keepAlive"].as_u64().unwrap_or(60)));
    options.set_clean_start(call.options["clean"].as_bool().unwrap_or(true));
    let expiry = call.options["expiry"].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    options.set_session_expiry_interval(expiry);
    if let Some(user) = call.options["user"].as_str() {
        options.set_credentials(user, call.text("password"));
    }
    let will = &call.options["will"];
    if let Some(topic) = will["topic"].as_str() {
        options.set_last_will(LastWill::new(
            topic,
            decoded(&will["payload"]),
            level(qos(&will["qos"])),
            false,
            None,
        ));
    }
    options
}

/// Connects, answers, and says whether it is connected.
async fn connected(call: &Call, events: &mut EventLoop) -> bool {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(packet))) => {
                call.answer(json!({ "session": packet.session_present }));
                return true;
            }
            Ok(_) => {}
            Err(ConnectionError::ConnectionRefused(code)) => {
                call.fail("refused", Some(refusal(code)));
                return false;
            }
            Err(error) => {
                call.fail(&error.to_string(), None);
                return false;
            }
        }
    }
}

/// What reads and writes a connection while it is open.
struct Pump {
    stop: Arc<Notify>,
    task: Option<JoinHandle<EventLoop>>,
    stopped: Option<EventLoop>,
    codes: UnboundedReceiver<u8>,
}

impl Pump {
    fn start(device: Device, events: EventLoop) -> Self {
        let stop = Arc::new(Notify::new());
        let (sender, codes) = unbounded_channel();
        let task = tokio::spawn(pump(device, events, stop.clone(), sender));
        Self { stop, task: Some(task), stopped: None, codes }
    }

    /// Cuts the connection.
    async fn stop(&mut self) {
        self.stop.notify_one();
        if let Some(task) = self.task.take() {
            self.stopped = task.await.ok();
        }
    }

    #[expect(clippy::expect_used, reason = "a test's program may end")]
    async fn events(mut self) -> EventLoop {
        self.stop().await;
        self.stopped.take().expect("the connection's loop")
    }
}

async fn pump(
    device: Device,
    mut events: EventLoop,
    stop: Arc<Notify>,
    codes: UnboundedSender<u8>,
) -> EventLoop {
    loop {
        let event = tokio::select! {
            event = events.poll() => event,
            () = stop.notified() => {
                events.clean();
                device.left(None);
                return events;
            }
        };
        let code = match event {
            Ok(Event::Incoming(Packet::Publish(packet))) => {
                device.received(&packet.topic, &packet.payload, packet.qos as u8, packet.dup);
                continue;
            }
            Ok(Event::Incoming(Packet::PubAck(packet))) => acknowledged(packet.reason),
            Ok(Event::Incoming(Packet::PubRec(packet))) => match packet.reason {
                PubRecReason::Success | PubRecReason::NoMatchingSubscribers => continue,
                PubRecReason::NotAuthorized => 0x87,
                _ => 0x80,
            },
            Ok(Event::Incoming(Packet::PubComp(packet))) => {
                u8::from(packet.reason != PubCompReason::Success) * 0x92
            }
            Ok(Event::Incoming(Packet::UnsubAck(packet))) => match packet.reasons.first() {
                Some(UnsubAckReason::Success) => 0,
                Some(UnsubAckReason::NoSubscriptionExisted) => 0x11,
                Some(UnsubAckReason::NotAuthorized) => 0x87,
                _ => 0x80,
            },
            Ok(Event::Incoming(Packet::SubAck(packet))) => match packet.return_codes.first() {
                Some(code) => granted(code),
                None => 0x80,
            },
            Ok(_) => continue,
            Err(ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. })) => {
                device.left(Some(reason_code as u8));
                return events;
            }
            Err(_) => {
                device.left(None);
                return events;
            }
        };
        let _ = codes.send(code);
    }
}

fn level(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// The codes that the tests look for; any other is an unspecified error.
fn refusal(code: ConnectReturnCode) -> u8 {
    match code {
        ConnectReturnCode::ClientIdentifierNotValid => 0x85,
        ConnectReturnCode::BadUserNamePassword => 0x86,
        ConnectReturnCode::NotAuthorized => 0x87,
        ConnectReturnCode::Banned => 0x8a,
        _ => 0x80,
    }
}

fn acknowledged(reason: PubAckReason) -> u8 {
    match reason {
        PubAckReason::Success => 0,
        PubAckReason::NoMatchingSubscribers => 0x10,
        PubAckReason::NotAuthorized => 0x87,
        PubAckReason::TopicNameInvalid => 0x90,
        PubAckReason::QuotaExceeded => 0x97,
        PubAckReason::PayloadFormatInvalid => 0x99,
        _ => 0x80,
    }
}

fn granted(code: &SubscribeReasonCode) -> u8 {
    match code {
        SubscribeReasonCode::Success(qos) => *qos as u8,
        SubscribeReasonCode::NotAuthorized => 0x87,
        SubscribeReasonCode::TopicFilterInvalid => 0x8f,
        SubscribeReasonCode::SharedSubscriptionsNotSupported => 0x9e,
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => 0xa2,
        _ => 0x80,
    }
}

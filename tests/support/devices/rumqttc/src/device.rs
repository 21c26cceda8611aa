use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rumqttc::QoS;
use serde_json::{Value, json};

/// One call of the tests, with its number.
pub(crate) struct Call {
    pub(crate) call: u64,
    pub(crate) what: String,
    pub(crate) options: Value,
}

impl Call {
    pub(crate) fn text(&self, name: &str) -> String {
        self.options[name].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        decoded(&self.options[name])
    }

    /// The quality of service that the call asks for.
    pub(crate) fn qos(&self) -> u8 {
        qos(&self.options["qos"])
    }

    pub(crate) fn answer(&self, result: Value) {
        say(&json!({ "call": self.call, "result": result }));
    }

    pub(crate) fn fail(&self, error: &str, code: Option<u8>) {
        say(&json!({ "call": self.call, "error": error, "code": code }));
    }
}

pub(crate) fn decoded(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default()
}

pub(crate) fn qos(value: &Value) -> u8 {
    value.as_u64().and_then(|qos| u8::try_from(qos).ok()).unwrap_or_default()
}

/// The library's quality of service of 3.1.1.
pub(crate) fn level(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

/// A client URL without its scheme, and its port: the library wants both.
pub(crate) fn port(url: &str) -> u16 {
    let address = url.split('/').nth(2).unwrap_or_default();
    address.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80)
}

/// A client, for what it says by itself.
#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) name: String,
}

impl Device {
    pub(crate) fn received(&self, topic: &[u8], payload: &[u8], qos: u8, dup: bool) {
        let topic = String::from_utf8_lossy(topic);
        let payload = STANDARD.encode(payload);
        let message = json!({ "topic": topic, "payload": payload, "qos": qos, "dup": dup });
        say(&json!({ "device": self.name, "message": message }));
    }

    pub(crate) fn left(&self, code: Option<u8>) {
        say(&json!({ "device": self.name, "left": { "code": code } }));
    }
}

/// Prints one line.
#[expect(clippy::print_stdout, reason = "the tests read what the program prints")]
fn say(line: &Value) {
    println!("{line}");
}

//! The test of an event handler that an operator asks for: a handshake and an event, and how each went.

use webpubsub_auth::AccessKeys;
use webpubsub_protocol::data::{MessageData, Metadata};
use webpubsub_protocol::event_handler::{CallFailure, Event};
use webpubsub_protocol::json::Writer;
use webpubsub_protocol::name::{ConnectionId, EventName};
use webpubsub_shard::{EventHandler, EventPolicy};

use crate::event_call::{EventCall, Newcomer, first_attempt, handshake_url};
use crate::event_driver::{EventHost, Keep};

/// How a step of a test went: its outcome, and the status of the handler's answer, if there was one.
type Tested = (Result<(), CallFailure>, Option<u16>);

/// Tests an event handler with a handshake, which is to allow `origin`, and with an event of a connection
/// that there is not. Returns how each went as JSON. Nothing is retried.
pub async fn test_handler<H: EventHost>(
    host: &H,
    keep: &Keep<'_>,
    (policy, handler): (&EventPolicy, &EventHandler),
    connection: &ConnectionId,
    origin: &str,
    keys: &AccessKeys,
) -> String {
    let url = handshake_url(policy, handler);
    let mut handshake = EventCall::handshake(host.now(), policy, &url, origin);
    handshake.once(host.now());
    let outcome = handshake.make(host, keep, None).await;
    let validated = (outcome, handshake.status());
    let event = match sample_event(handler).filter(|_| outcome.is_ok()) {
        Some(sample) => {
            let newcomer = Newcomer { connection, user: None, origin };
            let call = first_attempt(host.now(), policy, handler, newcomer, &sample);
            let mut call = EventCall::of(policy.hub.as_str(), call, keys, &|name| host.variable(name));
            call.skip_handshake();
            let outcome = call.make(host, keep, None).await;
            Some((outcome, call.status()))
        }
        None => None,
    };
    test_report(origin, validated, event)
}

/// The event that a handler is tested with: the first user event that it takes, or `test`.
fn sample_event(handler: &EventHandler) -> Option<Event> {
    let first = handler.user_events.split(',').next().unwrap_or_default().trim();
    let name = EventName::parse(first).or_else(|_| EventName::parse("test")).ok()?;
    let data = MessageData::Text("A test of the event handler.".to_owned());
    Some(Event::User { name, data, metadata: Metadata::default() })
}

/// Writes how a test went as JSON; `origin` is what the handshake is to allow. Without an `event` none was
/// sent, since the handshake comes before it.
fn test_report(origin: &str, handshake: Tested, event: Option<Tested>) -> String {
    let event = event.unwrap_or((Err(CallFailure::NotValidated), None));
    let mut steps = Writer::list();
    steps.element(&step("validation", handshake, "It wants events of this service.", origin));
    steps.element(&step("event", event, "It took the event.", origin));
    let mut report = Writer::object();
    report.json("steps", &steps.finish()).text(
        "note",
        "Only messages of type event, and what clients without a subprotocol send, go to event handlers. \
         What a client sends with sendToGroup goes to the members of the group and to nobody else.",
    );
    report.finish()
}

/// Writes how one step went.
fn step(name: &str, (outcome, status): Tested, good: &str, origin: &str) -> String {
    let (error, result) = match outcome {
        Ok(()) => (None, good.to_owned()),
        Err(failure @ (CallFailure::NoAllowedOrigin | CallFailure::OtherOrigin)) => {
            (Some(failure), format!("{} It is to be * or {origin}.", failure.message()))
        }
        Err(failure) => (Some(failure), failure.message().into_owned()),
    };
    let mut step = Writer::object();
    step.text("step", name).json("ok", if outcome.is_ok() { "true" } else { "false" });
    step.json("status", &status.map_or("null".to_owned(), |status| status.to_string()));
    step.text_or_null("error", error.map(CallFailure::name)).text("result", &result);
    step.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_how_each_step_went() {
        let refused = test_report("example.com", (Err(CallFailure::OtherOrigin), Some(200)), None);
        assert!(refused.contains(r#"{"step":"validation","ok":false,"status":200,"error":"OtherOrigin","#));
        assert!(refused.contains("It is to be * or example.com."), "{refused}");
        assert!(refused.contains(r#"{"step":"event","ok":false,"status":null,"error":"NotValidated","#));
        let good = test_report("example.com", (Ok(()), Some(204)), Some((Ok(()), Some(200))));
        assert!(good.contains(r#""ok":true,"status":204,"error":null,"result":"It wants events of"#));
        assert!(good.contains(r#""ok":true,"status":200,"error":null,"result":"It took the event.""#));
    }
}

//! The session's outputs → calls of the host.

use wasm_bindgen::JsValue;
use webpubsub_client_core::{Event, Next, Output, SendError};
use webpubsub_protocol::client::{AckError, Echo, UpstreamMessage};
use webpubsub_protocol::id::AckId;
use webpubsub_protocol::name::{ConnectionId, UserId};

use crate::host::Host;
use crate::problem;

/// The numbers of what a host is asked for, and what comes with each: see `npm/src/outputs.ts`.
mod what {
    pub(super) const FETCH_URL: u32 = 0;
    pub(super) const OPEN_SOCKET: u32 = 1;
    pub(super) const CLOSE_SOCKET: u32 = 2;
    pub(super) const SET_TIMER: u32 = 3;
    pub(super) const SEND: u32 = 4;
    pub(super) const SEND_OTHER: u32 = 5;
    pub(super) const STARTED: u32 = 6;
    pub(super) const START_FAILED: u32 = 7;
    pub(super) const DONE: u32 = 8;
    pub(super) const FAILED: u32 = 9;
    pub(super) const INVOKED: u32 = 10;
    pub(super) const INVOCATION_FAILED: u32 = 11;
    pub(super) const CONNECTED: u32 = 12;
    pub(super) const DISCONNECTED: u32 = 13;
    pub(super) const STOPPED: u32 = 14;
    pub(super) const RECOVERY: u32 = 15;
    pub(super) const MESSAGE: u32 = 16;
    pub(super) const REJOIN_FAILED: u32 = 17;
}

/// Where there is no number.
const NONE: f64 = -1.0;

/// One call of the host.
struct Call<'a> {
    what: u32,
    id: u32,
    detail: u32,
    number: f64,
    texts: [Option<&'a str>; 3],
    value: &'a JsValue,
}

impl<'a> Call<'a> {
    const fn new(value: &'a JsValue) -> Self {
        Self { what: 0, id: 0, detail: 0, number: NONE, texts: [None; 3], value }
    }

    fn of(self, host: &Host) -> bool {
        let [a, b, c] = self.texts;
        host.output(self.what, self.id, self.detail, self.number, a, b, c, self.value)
    }

    /// Why an operation was not done; its two texts stand from this place on.
    fn failed(&mut self, error: &'a SendError, texts: usize) {
        let (problem, detail) = problem::of_send(error);
        self.detail = problem;
        self.number = number(error.ack_id());
        self.said(detail, texts);
    }

    /// The two texts of what the service says is wrong, if it said it.
    fn said(&mut self, error: Option<&'a AckError>, texts: usize) {
        if let Some(error) = error
            && let Some([name, text]) = self.texts.get_mut(texts..texts + 2)
        {
            *name = Some(&error.name);
            *text = Some(&error.message);
        }
    }
}

/// Sets the host's one timer, or stops it, where the milliseconds are negative.
pub(crate) fn set_timer(host: &Host, milliseconds: i32) {
    let none = JsValue::UNDEFINED;
    let call = Call { what: what::SET_TIMER, number: f64::from(milliseconds), ..Call::new(&none) };
    call.of(host);
}

/// Has the host carry out an output. Whether it could: it may have to open a socket at what is no URL.
pub(crate) fn perform(host: &Host, output: &Output<JsValue, JsValue>) -> bool {
    let none = JsValue::UNDEFINED;
    let mut call = Call::new(&none);
    match output {
        Output::FetchUrl { attempt } => {
            call.what = what::FETCH_URL;
            call.id = attempt.0;
        }
        Output::Connect { attempt, url, .. } => {
            call.what = what::OPEN_SOCKET;
            call.id = attempt.0;
            call.texts = [Some(url), None, None];
        }
        Output::Close { attempt } => {
            call.what = what::CLOSE_SOCKET;
            call.id = attempt.0;
        }
        Output::Send(message) => {
            call.what = what::SEND;
            send(&mut call, message);
        }
        Output::SendOther { message, ack_id } => {
            call.what = what::SEND_OTHER;
            call.number = number(*ack_id);
            call.value = message;
        }
        Output::Started { id, result } => {
            call.what = what::STARTED;
            call.id = id.0;
            if let Err(error) = result {
                call.what = what::START_FAILED;
                let (problem, number) = problem::of_start(error);
                call.detail = problem;
                call.number = f64::from(number);
            }
        }
        Output::Settle { id, result } => {
            call.id = id.0;
            match result {
                Ok(receipt) => {
                    call.what = what::DONE;
                    call.number = number(receipt.ack_id);
                    call.detail = u32::from(receipt.is_duplicated);
                }
                Err(error) => {
                    call.what = what::FAILED;
                    call.failed(error, 0);
                }
            }
        }
        Output::Invoked { id, invocation_id, result } => {
            call.id = id.0;
            match result {
                Ok(answer) => {
                    call.what = what::INVOKED;
                    call.value = answer;
                }
                Err(error) => {
                    call.what = what::INVOCATION_FAILED;
                    call.texts = [Some(invocation_id), None, None];
                    let (problem, detail) = problem::of_invocation(error);
                    call.detail = problem;
                    call.said(detail, 1);
                }
            }
        }
        Output::Event(event) => raise(&mut call, event),
    }
    call.of(host)
}

/// A message: the id is its kind, by its place in `upstream` of `npm/src/kinds.ts`.
fn send<'a>(call: &mut Call<'a>, message: &'a UpstreamMessage<JsValue>) {
    match message {
        UpstreamMessage::JoinGroup { group, ack_id } => {
            call.texts = [Some(group.as_str()), None, None];
            call.number = number(*ack_id);
        }
        UpstreamMessage::LeaveGroup { group, ack_id } => {
            call.id = 1;
            call.texts = [Some(group.as_str()), None, None];
            call.number = number(*ack_id);
        }
        UpstreamMessage::SendToGroup { group, ack_id, echo, data, .. } => {
            call.id = 2;
            call.texts = [Some(group.as_str()), None, None];
            call.number = number(*ack_id);
            call.detail = u32::from(*echo == Echo::Skip);
            call.value = data;
        }
        UpstreamMessage::Event { event, ack_id, data, .. } => {
            call.id = 3;
            call.texts = [Some(event.as_str()), None, None];
            call.number = number(*ack_id);
            call.value = data;
        }
        UpstreamMessage::Invoke { invocation_id, event, data, .. } => {
            call.id = 4;
            call.texts = [Some(event.as_str()), Some(invocation_id), None];
            call.value = data;
        }
        UpstreamMessage::CancelInvocation { invocation_id } => {
            call.id = 5;
            call.texts = [None, Some(invocation_id), None];
        }
        UpstreamMessage::SequenceAck { sequence_id } => {
            call.id = 6;
            call.number = sequence_id.0 as f64;
        }
        // The session writes no streams and states: JavaScript does, with `OTHER`.
        UpstreamMessage::Stream { .. } | UpstreamMessage::GroupState { .. } | UpstreamMessage::Ping => {
            call.id = 7;
        }
    }
}

fn raise<'a>(call: &mut Call<'a>, event: &'a Event<JsValue>) {
    match event {
        Event::Connected { connection_id, user_id } => {
            call.what = what::CONNECTED;
            call.texts = [Some(connection_id.as_str()), user_id.as_ref().map(UserId::as_str), None];
        }
        Event::Disconnected { connection_id, message, close, next } => {
            call.what = what::DISCONNECTED;
            call.number = f64::from(close.code.0);
            call.detail = u32::from(*next == Next::Reconnect);
            let connection_id = connection_id.as_ref().map(ConnectionId::as_str);
            call.texts = [connection_id, message.as_deref(), Some(&close.reason)];
        }
        Event::Stopped { close } => {
            call.what = what::STOPPED;
            if let Some(close) = close {
                call.number = f64::from(close.code.0);
                call.texts = [Some(&close.reason), None, None];
            }
        }
        Event::Recovering { connection_id } => {
            call.what = what::RECOVERY;
            call.texts = [Some(connection_id.as_str()), None, None];
        }
        Event::Recovered { connection_id } => {
            call.what = what::RECOVERY;
            call.detail = 1;
            call.texts = [Some(connection_id.as_str()), None, None];
        }
        Event::Data(message) => {
            call.what = what::MESSAGE;
            call.value = message;
        }
        Event::RejoinGroupFailed { group, error } => {
            call.what = what::REJOIN_FAILED;
            call.texts = [Some(group.as_str()), None, None];
            call.failed(error, 1);
        }
    }
}

/// An ack id as JavaScript has it: whatever a JavaScript caller can choose fits. Negative is none.
fn number(ack_id: Option<AckId>) -> f64 {
    ack_id.map_or(NONE, |id| id.0 as f64)
}

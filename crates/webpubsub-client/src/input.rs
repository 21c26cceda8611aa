//! What JavaScript says → the session's inputs.

use std::borrow::Cow;

use wasm_bindgen::JsValue;
use webpubsub_client_core::{
    AttemptId, Close, CommandId, ConnectError, Delivery, Incoming, Input, InvocationError, Operation,
};
use webpubsub_protocol::client::{AckError, Echo};
use webpubsub_protocol::close::CloseCode;
use webpubsub_protocol::id::{AckId, SequenceId};
use webpubsub_protocol::name::{ConnectionId, EventName, GroupName, NameError, UserId};

use crate::text::{given, text};

/// The numbers of what JavaScript says, and what comes with each: see `npm/src/inputs.ts`.
pub(crate) mod what {
    pub(crate) const START: u32 = 0;
    pub(crate) const ABORT: u32 = 1;
    pub(crate) const STOP: u32 = 2;
    pub(crate) const WAKE: u32 = 3;
    pub(crate) const TIMEOUT: u32 = 4;
    pub(crate) const URL_FETCHED: u32 = 5;
    pub(crate) const URL_FAILED: u32 = 6;
    pub(crate) const OPENED: u32 = 7;
    pub(crate) const CONNECT_FAILED: u32 = 8;
    pub(crate) const CLOSED: u32 = 9;
    pub(crate) const ACKNOWLEDGED: u32 = 10;
    pub(crate) const REFUSED: u32 = 11;
    pub(crate) const DATA: u32 = 12;
    pub(crate) const CONNECTED: u32 = 13;
    pub(crate) const DISCONNECTING: u32 = 14;
    pub(crate) const ANSWERED: u32 = 15;
    pub(crate) const ANSWER_REFUSED: u32 = 16;
    pub(crate) const ANSWER_UNREADABLE: u32 = 17;
    pub(crate) const INVOKE: u32 = 19;
    pub(crate) const OTHER: u32 = 20;
    pub(crate) const DUE: u32 = 21;
    pub(crate) const OPERATE: u32 = 32;
}

/// The input that JavaScript means; what is no name is refused.
pub(crate) fn of(
    what: u32,
    id: u32,
    number: f64,
    a: JsValue,
    b: JsValue,
    c: JsValue,
) -> Result<Input<JsValue, JsValue>, NameError> {
    let (call, attempt) = (CommandId(id), AttemptId(id));
    let message = match what {
        what::START => return Ok(Input::Start { id: call }),
        what::ABORT => return Ok(Input::Abort { id: call }),
        what::STOP => return Ok(Input::Stop),
        what::WAKE => return Ok(Input::Wake),
        what::TIMEOUT | what::DUE => return Ok(Input::Timeout),
        what::URL_FETCHED => return Ok(Input::UrlFetched { attempt, url: text(a) }),
        what::URL_FAILED => {
            return Ok(Input::ConnectFailed { attempt, error: ConnectError::Credential });
        }
        what::OPENED => return Ok(Input::Opened { attempt }),
        what::CONNECT_FAILED => return Ok(Input::ConnectFailed { attempt, error: connect_error(number) }),
        what::CLOSED => {
            let close = Close { code: CloseCode(number as u16), reason: text(a) };
            return Ok(Input::Closed { attempt, close });
        }
        what::ACKNOWLEDGED => Incoming::Ack { ack_id: AckId(number as u64), result: Ok(()) },
        what::REFUSED => Incoming::Ack { ack_id: AckId(number as u64), result: Err(ack_error(a, b)) },
        what::DATA => Incoming::Data { sequence_id: sequence(number), message: a },
        what::CONNECTED => match ConnectionId::parse(text(a)) {
            Ok(connection_id) => {
                let user_id = UserId::parse(text(b)).ok();
                Incoming::Connected { connection_id, user_id, reconnection_token: given(c) }
            }
            Err(_) => Incoming::Other,
        },
        what::DISCONNECTING => Incoming::Disconnected { message: text(a) },
        what::ANSWERED => Incoming::InvokeResponse { invocation_id: text(a), result: Ok(b) },
        what::ANSWER_REFUSED => {
            let result = Err(InvocationError::Refused((number != 0.0).then(|| ack_error(b, c))));
            Incoming::InvokeResponse { invocation_id: text(a), result }
        }
        what::ANSWER_UNREADABLE => {
            Incoming::InvokeResponse { invocation_id: text(a), result: Err(InvocationError::Unreadable) }
        }
        what::INVOKE => {
            let event = EventName::parse(text(a))?;
            return Ok(Input::Invoke { id: call, event, data: b, invocation_id: given(c) });
        }
        what::OTHER => {
            let delivery = Delivery::Acknowledged { ack_id: ack_id(number) };
            return Ok(Input::Operate { id: call, operation: Operation::Other { message: a, delivery } });
        }
        what if what >= what::OPERATE => {
            return Ok(Input::Operate {
                id: call,
                operation: operation(what - what::OPERATE, number, a, b)?,
            });
        }
        _ => Incoming::Other,
    };
    Ok(Input::Message { attempt, message })
}

/// What to do: the last two bits are which, the third leaves out the echo, the fourth the ack.
fn operation(what: u32, number: f64, name: JsValue, data: JsValue) -> Result<Operation<JsValue>, NameError> {
    let name = text(name);
    let ack_id = ack_id(number);
    let delivery = if what & 8 == 0 { Delivery::Acknowledged { ack_id } } else { Delivery::FireAndForget };
    Ok(match what & 3 {
        0 => Operation::JoinGroup { group: GroupName::parse(name)?, ack_id },
        1 => Operation::LeaveGroup { group: GroupName::parse(name)?, ack_id },
        2 => {
            let echo = if what & 4 == 0 { Echo::Send } else { Echo::Skip };
            Operation::SendToGroup { group: GroupName::parse(name)?, data, echo, delivery }
        }
        _ => Operation::SendEvent { event: EventName::parse(name)?, data, delivery },
    })
}

/// The ack id that JavaScript means.
fn ack_id(number: f64) -> Option<AckId> {
    (number >= 0.0).then_some(AckId(number as u64))
}

/// The sequence id that JavaScript means.
pub(crate) fn sequence(number: f64) -> Option<SequenceId> {
    (number >= 0.0).then_some(SequenceId(number as u64))
}

/// What the service says is wrong.
fn ack_error(name: JsValue, message: JsValue) -> AckError {
    AckError { name: Cow::Owned(text(name)), message: text(message) }
}

/// Why a socket did not open: the HTTP status of a refusal; 0 where no server answered; negative where the
/// platform does not know.
fn connect_error(status: f64) -> ConnectError {
    if status > 0.0 {
        ConnectError::Refused { status: status as u16 }
    } else if status < 0.0 {
        ConnectError::Closed { code: CloseCode::ABNORMAL }
    } else {
        ConnectError::Unreachable
    }
}

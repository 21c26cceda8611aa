//! Calls of the application: what they ask for, and where their answers go.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use futures_channel::oneshot;
use webpubsub_client_core::{CommandId, InvocationError, OutboundError};
use webpubsub_protocol::client::{DownstreamMessage, Echo, StreamError, StreamId};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::name::{EventName, GroupName};

use crate::data::Data;
use crate::error::{InvokeError, SendError, StartError};
use crate::group_state::StateRequest;
use crate::message::Answer;

/// What a client has done by acks.
pub(crate) type Operation = webpubsub_client_core::Operation<MessageData, StateRequest>;

/// Where the answer to a call goes.
pub(crate) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// One call of the application, as it asks for it.
pub(crate) enum Call {
    Start(Reply<(), StartError>),
    Operate(Operation, Reply<webpubsub_client_core::Receipt, SendError>),
    Invoke { id: Option<String>, event: EventName, data: MessageData, reply: Reply<Answer, InvokeError> },
    Stream(StreamCall, Reply<(), OutboundError>),
}

/// One call about a stream that this client sends.
pub(crate) enum StreamCall {
    Open(OpenStream),
    Write(StreamId, Data),
    End(StreamId, Option<StreamError>),
}

/// A stream that is to be opened.
pub(crate) struct OpenStream {
    pub(crate) stream_id: StreamId,
    pub(crate) group: GroupName,
    pub(crate) echo: Echo,
    pub(crate) idle_millis: Option<u32>,
    /// Where the client notes why the stream is over.
    pub(crate) fate: Arc<OnceLock<OutboundError>>,
}

/// Calls that the session has received and not answered.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) starts: Waiting<(), StartError>,
    pub(crate) operations: Waiting<webpubsub_client_core::Receipt, SendError>,
    pub(crate) invocations: Waiting<Answer, InvokeError>,
}

/// Calls of one kind, by their numbers.
pub(crate) struct Waiting<T, E>(BTreeMap<u32, Reply<T, E>>);

impl<T, E> Default for Waiting<T, E> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T, E> Waiting<T, E> {
    pub(crate) fn add(&mut self, id: CommandId, reply: Reply<T, E>) {
        self.0.insert(id.0, reply);
    }

    /// Answers a call. One that its caller has dropped needs no answer.
    pub(crate) fn answer(&mut self, id: CommandId, result: Result<T, E>) {
        if let Some(reply) = self.0.remove(&id.0) {
            let _ = reply.send(result);
        }
    }
}

/// What an invocation came to.
pub(crate) fn invoked(
    id: String,
    result: Result<DownstreamMessage, InvocationError>,
) -> Result<Answer, InvokeError> {
    match result {
        Ok(message) => Answer::new(id, message).ok_or(InvokeError::Unreadable),
        Err(error) => Err(InvokeError::new(id, error)),
    }
}

//! Streams: what is sent, what is listened to, and the loop that carries out what they ask for.

use std::borrow::Cow;
use std::time::Duration;

use wasm_bindgen::prelude::*;
use webpubsub_client_core::{
    CommandId, InboundInput, InboundOptions, InboundOutput, InboundStreamId, InboundStreams, OutboundInput,
    OutboundOutput, OutboundStreams, StreamEnding, SubscriptionId, earliest,
};
use webpubsub_protocol::client::{
    AckError, Echo, StreamAction, StreamAnswer, StreamError, StreamId, UpstreamMessage,
};
use webpubsub_protocol::name::GroupName;

use super::{Groups, given};
use crate::problem;

/// Those that this client sends, and those that it listens to.
#[derive(Default)]
pub(super) struct Streams {
    outbound: OutboundStreams<JsValue>,
    inbound: InboundStreams<JsValue, JsValue>,
}

/// What has happened to them.
pub(super) enum Input {
    Outbound(OutboundInput<JsValue>),
    Inbound(InboundInput<JsValue, JsValue>),
}

#[wasm_bindgen]
impl Groups {
    /// The timer that the host was asked for has rung.
    pub fn timeout(&self) {
        self.timer.rang();
        self.handle([Input::Outbound(OutboundInput::Timeout), Input::Inbound(InboundInput::Timeout)]);
    }

    /// A socket opened.
    #[wasm_bindgen(js_name = linkOpened)]
    pub fn link_opened(&self) {
        self.outbound(OutboundInput::LinkOpened);
    }

    /// The link is lost, and the connection is being recovered; or that is over, and well.
    pub fn recovery(&self, is_over: bool) {
        self.outbound(if is_over { OutboundInput::Recovered } else { OutboundInput::Recovering });
    }

    /// The client has stopped.
    pub fn stopped(&self) {
        self.handle([Input::Inbound(InboundInput::Stopped)]);
    }

    /// Opens a stream. `idle_millis` is negative where there is none. What is wrong with a name, by the
    /// place of its words in the npm package; 0 if nothing is.
    #[must_use]
    pub fn open(&self, call: u32, stream_id: String, group: String, no_echo: bool, idle_millis: f64) -> u32 {
        let group = match GroupName::parse(group) {
            Ok(group) => group,
            Err(error) => return problem::of_name(error),
        };
        let Ok(stream_id) = StreamId::parse(stream_id) else {
            return problem::STREAM_ID;
        };
        let echo = if no_echo { Echo::Skip } else { Echo::Send };
        let idle_millis = (idle_millis >= 0.0).then_some(idle_millis as u32);
        self.outbound(OutboundInput::Open { id: CommandId(call), stream_id, group, echo, idle_millis });
        0
    }

    /// Sends a fragment of a stream that was opened.
    pub fn write(&self, call: u32, stream_id: String, payload: JsValue) {
        self.of_stream(stream_id, |stream_id| OutboundInput::Write {
            id: CommandId(call),
            stream_id,
            data: payload,
            // JavaScript does not say.
            len: 0,
        });
    }

    /// Ends a stream that was opened.
    pub fn end(
        &self,
        call: u32,
        stream_id: String,
        is_error: bool,
        message: Option<String>,
        user_error_code: Option<String>,
    ) {
        let error = is_error.then(|| StreamError::of_user(message, user_error_code));
        self.of_stream(stream_id, |stream_id| OutboundInput::End { id: CommandId(call), stream_id, error });
    }

    /// Gives a write or an end up; it is answered at once if it is not answered yet.
    pub fn abort(&self, call: u32) {
        self.outbound(OutboundInput::Abort { id: CommandId(call) });
    }

    /// The service's `streamAck`, or `streamNack`.
    pub fn acknowledged(&self, stream_id: String, expected: f64, is_taken: bool) {
        let expected = expected as u64;
        let answer = if is_taken {
            StreamAnswer::Ack { expected }
        } else {
            StreamAnswer::Nack { name: Cow::Borrowed(""), message: String::new(), expected }
        };
        self.of_stream(stream_id, |stream_id| OutboundInput::Answered { stream_id, answer });
    }

    /// The service's `streamClosed`.
    pub fn closed(&self, stream_id: String, name: Option<String>, message: String) {
        let error = name.map(|name| AckError { name: Cow::Owned(name), message });
        let answer = StreamAnswer::Closed { error };
        self.of_stream(stream_id, |stream_id| OutboundInput::Answered { stream_id, answer });
    }

    /// Listens to streams: to those of `groups`, if there are any.
    pub fn subscribe(
        &self,
        subscription: u32,
        idle_millis: f64,
        from_start: bool,
        groups: Option<Vec<String>>,
    ) {
        let idle_timeout = Duration::from_millis(idle_millis as u64);
        let id = SubscriptionId(subscription);
        let options = InboundOptions { idle_timeout, from_start, groups };
        self.handle([Input::Inbound(InboundInput::Subscribe { id, options })]);
    }

    /// Listens no longer.
    pub fn unsubscribe(&self, subscription: u32) {
        let id = SubscriptionId(subscription);
        self.handle([Input::Inbound(InboundInput::Unsubscribe { id })]);
    }

    /// The listener did not take a stream.
    pub fn refuse(&self, stream: u32) {
        let stream = InboundStreamId(stream);
        self.handle([Input::Inbound(InboundInput::Refused { stream })]);
    }

    /// A group message that belongs to a stream; `undefined` for an end without a payload. An `error` that
    /// is `undefined` is none.
    pub fn received(
        &self,
        group: String,
        stream_id: String,
        sequence_id: f64,
        is_end: bool,
        error: JsValue,
        message: JsValue,
    ) {
        self.handle([Input::Inbound(InboundInput::Fragment {
            group,
            stream_id,
            sequence_id: sequence_id as u64,
            end: is_end.then(|| given(error)),
            message: given(message),
        })]);
    }
}

impl Groups {
    pub(super) fn outbound(&self, input: OutboundInput<JsValue>) {
        self.handle([Input::Outbound(input)]);
    }

    /// An input about a stream. What is no stream id belongs to none that is open.
    fn of_stream(&self, stream_id: String, input: impl FnOnce(StreamId) -> OutboundInput<JsValue>) {
        if let Ok(stream_id) = StreamId::parse(stream_id) {
            self.outbound(input(stream_id));
        }
    }

    /// Handles inputs, and whatever arises while their outputs are carried out: a listener may call
    /// back, but never gets in between two outputs.
    fn handle(&self, new: impl IntoIterator<Item = Input>) {
        let mut inputs = self.inputs.take();
        inputs.extend(new);
        self.inputs.set(inputs);
        let Some(mut streams) = self.streams.take() else {
            return;
        };
        loop {
            let inputs = self.inputs.take();
            if inputs.is_empty() {
                break;
            }
            for input in inputs {
                let now = self.clock.now();
                match input {
                    Input::Outbound(input) => {
                        for output in streams.outbound.handle(now, input) {
                            self.perform_outbound(output);
                        }
                    }
                    Input::Inbound(input) => {
                        for output in streams.inbound.handle(now, input) {
                            self.perform_inbound(output);
                        }
                    }
                }
            }
        }
        let next = earliest(streams.outbound.next_timeout(), streams.inbound.next_timeout());
        if let Some(milliseconds) = self.timer.set(next, || self.clock.now()) {
            self.host.set_timer(milliseconds);
        }
        self.streams.set(Some(streams));
    }

    fn perform_outbound(&self, output: OutboundOutput<JsValue>) {
        let host = &self.host;
        match output {
            OutboundOutput::Send(UpstreamMessage::Stream { stream_id, action }) => {
                self.send(stream_id.as_str(), &action);
            }
            // Streams send nothing else.
            OutboundOutput::Send(_) => {}
            OutboundOutput::Settle { id, result: Ok(()) } => host.done(id.0),
            OutboundOutput::Settle { id, result: Err(error) } => {
                let (number, name, text) = problem::of_stream(&error);
                host.failed(id.0, number, name, &text);
            }
            // The npm package has it from the service.
            OutboundOutput::Completed { .. } => {}
            OutboundOutput::Failed { stream_id, error } => {
                let (number, name, text) = problem::of_stream(&error);
                host.stream_failed(stream_id.as_str(), number, name, &text);
            }
        }
    }

    fn send(&self, stream_id: &str, action: &StreamAction<JsValue>) {
        let host = &self.host;
        match action {
            StreamAction::Start { group, echo, idle_millis, ack_id: _ } => {
                let idle_millis = idle_millis.map_or(-1.0, f64::from);
                host.send_start(stream_id, group.as_str(), *echo == Echo::Skip, idle_millis);
            }
            StreamAction::Data { sequence_id, data } => host.send_data(stream_id, *sequence_id as f64, data),
            StreamAction::KeepAlive => host.send_data(stream_id, 0.0, &JsValue::UNDEFINED),
            StreamAction::End { error } => host.send_end(
                stream_id,
                error.is_some(),
                error.as_ref().and_then(|error| error.message.as_deref()),
                error.as_ref().and_then(|error| error.user_error_code.as_deref()),
            ),
        }
    }

    fn perform_inbound(&self, output: InboundOutput<JsValue, JsValue>) {
        let host = &self.host;
        match output {
            InboundOutput::Began { subscription, stream, group, stream_id } => {
                host.began(subscription.0, stream.0, &group, &stream_id);
            }
            InboundOutput::Received { stream, message } => host.fragment(stream.0, &message),
            InboundOutput::Ended { stream, ending } => match ending {
                StreamEnding::Completed => host.ended(stream.0, 0, &JsValue::UNDEFINED),
                StreamEnding::Failed(error) => host.ended(stream.0, 1, &error),
                StreamEnding::IdleTimeout => host.ended(stream.0, 2, &JsValue::UNDEFINED),
            },
        }
    }
}

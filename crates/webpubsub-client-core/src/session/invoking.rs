//! From an event whose answer the application waits for to that answer.
//!
//! An invocation that fails is not tried again: it may have been carried out.

use webpubsub_protocol::client::UpstreamMessage;
use webpubsub_protocol::data::Metadata;
use webpubsub_protocol::name::EventName;

use super::Session;
use crate::error::InvocationError;
use crate::input::CommandId;
use crate::output::Output;
use crate::state::State;

impl<P: Clone, D, O: Clone> Session<P, D, O> {
    pub(super) fn invoke(&mut self, id: CommandId, chosen: Option<String>, event: EventName, data: P) {
        let is_known = chosen.as_ref().is_some_and(|chosen| self.invocations.has(chosen));
        let invocation_id = chosen.unwrap_or_else(|| self.invocations.next_id());
        if is_known {
            return self.invoked(id, invocation_id, Err(InvocationError::Registered));
        }
        if !matches!(self.state, State::Connected { .. }) {
            return self.invoked(id, invocation_id, Err(InvocationError::NotConnected));
        }
        self.invocations.sent(invocation_id.clone(), id);
        let metadata = Metadata::default();
        self.outputs.push(Output::Send(UpstreamMessage::Invoke { invocation_id, event, data, metadata }));
    }

    pub(super) fn invocation_answered(&mut self, invocation_id: String, result: Result<D, InvocationError>) {
        if let Some(id) = self.invocations.answered(&invocation_id) {
            self.invoked(id, invocation_id, result);
        }
    }

    /// The application no longer waits for the answer, and the service is sent a cancellation.
    pub(super) fn invocation_aborted(&mut self, id: CommandId, invocation_id: String) {
        if matches!(self.state, State::Connected { .. }) {
            let invocation_id = invocation_id.clone();
            self.outputs.push(Output::Send(UpstreamMessage::CancelInvocation { invocation_id }));
        }
        self.invoked(id, invocation_id, Err(InvocationError::Aborted));
    }

    /// No answer will come for what was sent on a socket that is gone.
    pub(super) fn fail_invocations(&mut self) {
        for (invocation_id, id) in self.invocations.take() {
            self.invoked(id, invocation_id, Err(InvocationError::Disconnected));
        }
    }

    fn invoked(&mut self, id: CommandId, invocation_id: String, result: Result<D, InvocationError>) {
        self.outputs.push(Output::Invoked { id, invocation_id, result });
    }
}

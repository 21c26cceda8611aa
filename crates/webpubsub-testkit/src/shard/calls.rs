//! Calls to the application's event handler, as a test has them end.

use webpubsub_protocol::event_handler::{CallFailure, HandlerAnswer};
use webpubsub_shard::{Call, Input};

use crate::handler::{status, words};
use crate::shard::TestShard;

impl TestShard {
    /// The calls that are under way, as user, event and number, oldest first.
    #[must_use]
    pub fn calls_in_words(&self) -> Vec<String> {
        self.calls.iter().map(words).collect()
    }

    /// The oldest call that is under way ends; returns it.
    pub fn end_call(&mut self, result: Result<HandlerAnswer, CallFailure>) -> Call {
        self.end_nth_call(0, result)
    }

    /// The same, with another than the oldest.
    pub fn end_nth_call(&mut self, index: usize, result: Result<HandlerAnswer, CallFailure>) -> Call {
        let call = self.calls.remove(index);
        let result = match call.barred {
            Some(failure) => Err(failure),
            None => result.and_then(|answer| answer.taken(call.purpose)),
        };
        self.input(Input::Called { call: call.id, result });
        call
    }

    /// Every call that is under way, and what follows, succeeds with nothing to say, until none is.
    /// Returns them in words.
    pub fn end_calls(&mut self) -> Vec<String> {
        let mut ended = Vec::new();
        while !self.calls.is_empty() {
            let call = self.end_call(Ok(status(204)));
            ended.push(words(&call));
        }
        ended
    }
}

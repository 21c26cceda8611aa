//! Calls of event handlers: how an [`EventHost`] does what they want on this platform.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use encoding_rs::Encoding;
use tokio::time::timeout;
use webpubsub_protocol::event_handler::CallFailure;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::directory::Handler;
use webpubsub_service::{AnswerBody, DirectoryCall, EventHost, KnownHandlers, Request};
use webpubsub_shard::Call;

use crate::clock;
use crate::given_up::GivenUp;
use crate::http_client::{PieceTaker, Unanswered};
use crate::shard_message::{Ended, ShardMessage, WayBack};
use crate::thread::Thread;

/// Where a call is made from.
pub(crate) struct Caller {
    pub(crate) thread: Rc<Thread>,
    /// The name of the hub, or of its directory, which is the same.
    pub(crate) hub: String,
    /// Whether the call is given up.
    pub(crate) given_up: Rc<GivenUp>,
}

/// Makes one attempt to deliver an event of a shard to its handler. The shard is given what it came to.
pub(crate) fn deliver(thread: &Rc<Thread>, hub: &HubName, call: Call, given_up: Rc<GivenUp>, back: WayBack) {
    let caller = Caller { thread: Rc::clone(thread), hub: hub.to_string(), given_up };
    let (hub, id, keeper) = (hub.clone(), call.id, back.clone());
    let called = async move {
        let thread = &*caller.thread;
        let keep = |record: &str| keeper.send(ShardMessage::KeepDelivery(record.to_owned()));
        let result =
            webpubsub_service::deliver(&caller, thread, (&hub, &thread.config.keys), call, &keep).await;
        Ended::Call { call: id, result }
    };
    back.start(called, Ended::Call { call: id, result: Err(CallFailure::Network) });
}

impl Caller {
    /// Waits for something as long as the call is not given up, and no longer than this.
    async fn within(&self, limit: Duration, waited_for: impl Future<Output = String>) -> String {
        tokio::select! {
            biased;
            () = self.given_up.wait() => "GivenUp".to_owned(),
            answer = timeout(limit, waited_for) => answer.unwrap_or_else(|_| "TimedOut".to_owned()),
        }
    }
}

impl EventHost for Caller {
    fn now(&self) -> Timestamp {
        clock::steady()
    }

    fn with_known<T>(&self, use_it: impl FnOnce(&mut KnownHandlers) -> T) -> T {
        use_it(&mut self.thread.known.borrow_mut())
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.thread.variables.get(name)
    }

    fn decode(&self, label: &str, text: &[u8]) -> Option<String> {
        decode(label, text)
    }

    async fn validate(&self, handler: Handler, within: Duration) -> String {
        let asked = self.thread.ask_directory(self.hub.clone(), DirectoryCall::Validate(handler));
        let answer = async {
            asked.await.map_or_else(|| Unanswered::Network.to_string(), |answer| answer.status.to_string())
        };
        self.within(within, answer).await
    }

    async fn post(&self, request: &Request, within: Duration, body: &Rc<RefCell<AnswerBody>>) -> String {
        let is_read = request.max_answer_bytes > 0;
        let mut take = |piece: &[u8], announced: usize, status: u16| {
            let mut body = body.borrow_mut();
            let mut known = self.thread.known.borrow_mut();
            let room = body.room_for(&mut known, piece.len(), announced, status);
            room.map(|room| room.copy_from_slice(piece)).is_some()
        };
        let take: Option<&mut PieceTaker<'_>> = if is_read { Some(&mut take) } else { None };
        let answer = self.thread.http.request(request, take);
        let answer = async { answer.await.unwrap_or_else(|why| why.to_string()) };
        self.within(within, answer).await
    }

    fn sleep(&self, pause: Duration) -> impl Future {
        tokio::time::sleep(pause)
    }
}

/// Decodes text of a charset, by its label; `None` for one that is unknown.
pub(crate) fn decode(label: &str, text: &[u8]) -> Option<String> {
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    Some(encoding.decode_with_bom_removal(text).0.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_by_its_label() {
        assert_eq!(decode("latin1", &[0xE9]).as_deref(), Some("é"));
        assert_eq!(decode("utf-16le", &[0xE9, 0]).as_deref(), Some("é"));
        assert_eq!(decode("nothing", b"a"), None);
    }
}

//! Calls of objects, whatever thread they are on.

use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use webpubsub_protocol::name::HubName;
use webpubsub_service::{DirectoryCall, HubView, KeyRing, Keys, ObjectResponse, REGISTER, ShardCall};
use webpubsub_shard::{Command, Reply};

use crate::clock;
use crate::log;
use crate::shard_message::ShardMessage;
use crate::thread::Thread;

/// Makes the same call of all these shards at once; one answer each, in their order, and `None` for a failure.
pub(crate) async fn ask_shards(thread: &Thread, names: Vec<String>, call: ShardCall) -> Vec<Option<String>> {
    let asked = names.into_iter().map(|name| {
        let (reply, answer) = oneshot::channel();
        thread.to_shard(name, ShardMessage::Call(call.clone(), reply));
        answer
    });
    // All are asked before the first answer is waited for.
    let asked: Vec<_> = asked.collect();
    let answers = join_all(asked).await.into_iter();
    answers.map(|answer| body(answer.ok()?.encode())).collect()
}

/// Has a shard carry out a command; `None` where it has failed. It is asked before the answer is waited for.
pub(crate) fn command(
    thread: &Thread,
    name: String,
    command: Command,
) -> impl Future<Output = Option<Reply>> + use<> {
    let (reply, answer) = oneshot::channel();
    thread.to_shard(name, ShardMessage::Command(command, reply));
    async { answer.await.ok() }
}

/// Makes the same call of several directories; one answer each, in their order, and `None` for a failure.
pub(crate) async fn ask_directories(
    thread: &Thread,
    names: Vec<String>,
    call: &DirectoryCall,
) -> Vec<Option<String>> {
    let asked = names.into_iter().map(|name| thread.ask_directory(name, call.clone()));
    join_all(asked).await.into_iter().map(|answer| body(answer?)).collect()
}

/// The access keys that hold, or held a moment ago.
pub(crate) async fn known_keys(thread: &Thread) -> Arc<Keys> {
    let ask = async { Some(ask_directories(thread, vec![REGISTER.to_owned()], &DirectoryCall::Keys).await) };
    thread.config.keys.no_older(clock::now(), KeyRing::MAX_AGE, ask).await
}

/// What a hub's directory has, and whether the register of hubs has the hub; `None` where the first has failed.
pub(crate) async fn introduce(thread: &Thread, hub: &HubName) -> Option<(HubView, bool)> {
    let answer = thread.ask_directory(hub.to_string(), DirectoryCall::View).await?;
    let view = HubView::decode(&body(answer)?)?;
    Some((view, register(thread, hub).await))
}

/// Has the register take a hub. Returns whether it has.
pub(crate) async fn register(thread: &Thread, hub: &HubName) -> bool {
    let taken = thread.ask_directory(REGISTER.to_owned(), DirectoryCall::AddHub(hub.clone())).await;
    let is_taken = taken.and_then(body).is_some();
    if !is_taken {
        log::failure("registering a hub", &"the register did not take a hub");
    }
    is_taken
}

/// The body of an answer of an object that did what it was asked.
fn body(answer: ObjectResponse) -> Option<String> {
    (200..300).contains(&answer.status).then_some(answer.body)
}

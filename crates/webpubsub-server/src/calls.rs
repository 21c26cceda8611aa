//! Calls of objects, whatever thread they are on.

use futures_util::future::join_all;
use tokio::sync::oneshot;
use webpubsub_service::{DirectoryCall, ObjectResponse, Objects, ShardCall};
use webpubsub_shard::{Command, Reply};

use crate::shard_message::ShardMessage;
use crate::thread::Thread;

impl Objects for Thread {
    async fn ask_shards(&self, names: Vec<String>, call: ShardCall) -> Vec<Option<String>> {
        let asked = names.into_iter().map(|name| {
            let (reply, answer) = oneshot::channel();
            self.to_shard(name, ShardMessage::Call(call.clone(), reply));
            answer
        });
        // All are asked before the first answer is waited for.
        let asked: Vec<_> = asked.collect();
        let answers = join_all(asked).await.into_iter();
        answers.map(|answer| body(answer.ok()?.encode())).collect()
    }

    async fn ask_directories(&self, names: Vec<String>, call: DirectoryCall) -> Vec<Option<String>> {
        let asked = names.into_iter().map(|name| self.ask_directory(name, call.clone()));
        join_all(asked).await.into_iter().map(|answer| body(answer?)).collect()
    }
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

/// The body of an answer of an object that did what it was asked.
fn body(answer: ObjectResponse) -> Option<String> {
    (200..300).contains(&answer.status).then_some(answer.body)
}

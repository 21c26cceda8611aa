//! The shards and directories that are this thread's, and what arrives for them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::sync::{mpsc, oneshot};
use webpubsub_service::{DirectoryCall, ObjectResponse, ShardCall, parse_object_name};

use crate::directory::{self, Directory};
use crate::shard_message::ShardMessage;
use crate::shard_task::ShardTask;
use crate::sockets::Sent;
use crate::thread::{Letter, Thread};
use crate::{log, server};

/// How many letters are taken at once.
const TAKEN_AT_ONCE: usize = 256;

/// The objects of one thread that are in memory, by their names; the shards are with what its tasks share.
struct Objects {
    thread: Rc<Thread>,
    directories: RefCell<HashMap<String, Rc<Directory>>>,
}

/// Does what other threads and this one ask for, for as long as the process lives.
pub(crate) async fn run(thread: Rc<Thread>, mut letters: mpsc::UnboundedReceiver<Letter>) {
    let objects = Rc::new(Objects { thread, directories: RefCell::default() });
    let mut taken = Vec::with_capacity(TAKEN_AT_ONCE);
    while letters.recv_many(&mut taken, TAKEN_AT_ONCE).await > 0 {
        let mut sent = Vec::new();
        for letter in taken.drain(..) {
            objects.take(letter, &mut sent);
        }
        let outgoing = sent.iter_mut().flat_map(|sent| std::mem::take(&mut sent.outgoing));
        objects.thread.sockets.deliver(outgoing);
    }
}

impl Objects {
    /// Does what a letter asks for. What is for sockets is added to `all_sent`.
    fn take(self: &Rc<Self>, letter: Letter, all_sent: &mut Vec<Sent>) {
        match letter {
            Letter::Sockets(sent) => all_sent.push(sent),
            Letter::Serve(stream, listener, open) => server::serve(&self.thread, stream, listener, open),
            Letter::Shard(name, message) => self.to_shard(&name, message),
            Letter::Directory(name, call, reply) => self.answer(&name, call, reply),
            Letter::Wake(name) if parse_object_name(&name).is_some() => {
                // Whatever it asks, the shard starts.
                let (reply, _) = oneshot::channel();
                self.to_shard(&name, ShardMessage::Call(ShardCall::Room, reply));
            }
            Letter::Wake(name) => drop(self.directory(&name)),
            Letter::Stop(done) => self.stop(done),
        }
    }

    /// Gives a shard something to do, and starts it if it is not in memory. What is for no shard is dropped.
    fn to_shard(&self, name: &str, message: ShardMessage) {
        let mut shards = self.thread.shards.borrow_mut();
        let message = match shards.get(name) {
            Some(shard) => match shard.send(message) {
                Ok(()) => return,
                // A fault of ours has ended its task.
                Err(mpsc::error::SendError(message)) => message,
            },
            None => message,
        };
        let (shard, inbox) = mpsc::unbounded_channel();
        let (thread, its_name) = (Rc::clone(&self.thread), name.to_owned());
        let forget = move || drop(thread.shards.borrow_mut().remove(&its_name));
        let itself = shard.downgrade();
        if let Some(task) = ShardTask::new(Rc::clone(&self.thread), name, inbox, itself, Box::new(forget)) {
            let _ = shard.send(message);
            shards.insert(name.to_owned(), shard);
            tokio::task::spawn_local(task.run());
        }
    }

    /// A directory, which is started if it is not in memory; `None` where that fails.
    fn directory(self: &Rc<Self>, name: &str) -> Option<Rc<Directory>> {
        if let Some(directory) = self.directories.borrow().get(name) {
            return Some(Rc::clone(directory));
        }
        let (objects, its_name) = (Rc::clone(self), name.to_owned());
        let forget = move || drop(objects.directories.borrow_mut().remove(&its_name));
        match directory::start(&self.thread, name, Box::new(forget)) {
            Ok(directory) => {
                self.directories.borrow_mut().insert(name.to_owned(), Rc::clone(&directory));
                Some(directory)
            }
            Err(error) => {
                let file = self.thread.storage.file(name);
                log::file_failure(&format!("starting the directory {name}"), &file, &error);
                None
            }
        }
    }

    /// Answers a call of a directory, in a task that goes on if the caller does not wait any more.
    fn answer(self: &Rc<Self>, name: &str, call: DirectoryCall, reply: oneshot::Sender<ObjectResponse>) {
        if let Some(directory) = self.directory(name) {
            tokio::task::spawn_local(async move {
                let _ = reply.send(directory::answer(&directory, call).await);
            });
        }
    }

    /// Has all shards close their sockets, and ends them.
    fn stop(&self, done: oneshot::Sender<()>) {
        let mut ended = Vec::new();
        for shard in std::mem::take(&mut *self.thread.shards.borrow_mut()).into_values() {
            let (done, is_done) = oneshot::channel();
            if shard.send(ShardMessage::Stop(done)).is_ok() {
                ended.push(is_done);
            }
        }
        tokio::task::spawn_local(async move {
            for is_done in ended {
                let _ = is_done.await;
            }
            let _ = done.send(());
        });
    }
}

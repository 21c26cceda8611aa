//! The shards and directories that are this thread's, and what arrives for them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};
use webpubsub_service::{DirectoryCall, ObjectResponse, REGISTER, ShardCall, parse_object_name};

use crate::directory::{self, Directory};
use crate::shard_message::ShardMessage;
use crate::shard_task::{MAX_PAUSE, PAUSE, ShardTask};
use crate::sockets::Sent;
use crate::thread::{IDLE, Letter, Thread};
use crate::{log, server};

/// How many letters are taken at once.
const TAKEN_AT_ONCE: usize = 256;
/// How long nothing more is started that is stored where the process has few open files left.
const WAKE_PAUSE: Duration = Duration::from_millis(100);

/// The objects of one thread that are in memory, by their names; the shards are with what its tasks share.
struct Objects {
    thread: Rc<Thread>,
    directories: RefCell<BTreeMap<String, Kept>>,
    /// The directories that have failed, or have not started, and are to be started again.
    failed: RefCell<BTreeSet<String>>,
    /// Whether a task puts those out of memory that are not used.
    is_sweeping: Cell<bool>,
}

/// A directory that is in memory.
struct Kept {
    directory: Rc<Directory>,
    /// Whether it was asked for anything since that was looked at.
    is_used: Cell<bool>,
}

/// Does what other threads and this one ask for, for as long as the process lives.
pub(crate) async fn run(thread: Rc<Thread>, mut letters: mpsc::UnboundedReceiver<Letter>) {
    let objects = Objects::of(thread);
    let mut taken = Vec::with_capacity(TAKEN_AT_ONCE);
    while letters.recv_many(&mut taken, TAKEN_AT_ONCE).await > 0 {
        let mut sent = Vec::new();
        for letter in taken.drain(..) {
            objects.take(letter, &mut sent);
        }
        if !sent.is_empty() && objects.thread.sockets.deliver(sent) {
            yield_now().await;
        }
    }
}

impl Objects {
    /// Those of a thread that has just begun.
    fn of(thread: Rc<Thread>) -> Rc<Self> {
        let (directories, failed) = (RefCell::default(), RefCell::default());
        Rc::new(Self { thread, directories, failed, is_sweeping: Cell::default() })
    }

    /// Does what a letter asks for. What is for sockets is added to `all_sent`.
    fn take(self: &Rc<Self>, letter: Letter, all_sent: &mut Vec<Sent>) {
        match letter {
            Letter::Sockets(sent) => all_sent.push(sent),
            Letter::Serve(stream, listener, open) => server::serve(&self.thread, stream, listener, open),
            Letter::Shard(name, message) => self.to_shard(&name, message),
            Letter::Directory(name, call, reply) => self.answer(&name, call, reply),
            Letter::Wake(names) => drop(tokio::task::spawn_local(Rc::clone(self).wake(names))),
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

    /// A directory, which is started if it is not in memory; `None` where that fails. Then it is started again later.
    fn directory(self: &Rc<Self>, name: &str) -> Option<Rc<Directory>> {
        if let Some(Kept { directory, is_used }) = self.directories.borrow().get(name) {
            is_used.set(true);
            return Some(Rc::clone(directory));
        }
        let (objects, its_name) = (Rc::clone(self), name.to_owned());
        let start_again = move || {
            let failed = objects.directories.borrow_mut().remove(&its_name);
            objects.start_again(&its_name);
            drop(failed);
        };
        match directory::start(&self.thread, name, start_again) {
            Ok(directory) => {
                let kept = Kept { directory: Rc::clone(&directory), is_used: Cell::new(true) };
                self.directories.borrow_mut().insert(name.to_owned(), kept);
                if !self.is_sweeping.replace(true) {
                    tokio::task::spawn_local(Rc::clone(self).sweep());
                }
                Some(directory)
            }
            Err(error) => {
                let file = self.thread.storage.file(name);
                log::file_failure(&format!("starting the directory {name}"), &file, &error);
                self.start_again(name);
                None
            }
        }
    }

    /// Starts a directory after a pause, and again until it starts: it may have something to do of which no request reminds
    /// it, a change of settings that its shards have not taken. Requests do not wait for the pause.
    fn start_again(self: &Rc<Self>, name: &str) {
        if !self.failed.borrow_mut().insert(name.to_owned()) {
            return;
        }
        let (objects, name) = (Rc::clone(self), name.to_owned());
        tokio::task::spawn_local(async move {
            let mut pause = PAUSE;
            loop {
                sleep(pause).await;
                if objects.directory(&name).is_some() {
                    break;
                }
                pause = (2 * pause).min(MAX_PAUSE);
            }
            objects.failed.borrow_mut().remove(&name);
        });
    }

    /// Puts directories out of memory that are not used, as long as there are any. The register stays: every request needs
    /// it, and is not to wait for a file that cannot be opened.
    async fn sweep(self: Rc<Self>) {
        while !self.directories.borrow().is_empty() {
            sleep(IDLE).await;
            let is_over =
                |(name, kept): &(&String, &Kept)| !kept.is_used.replace(false) && name.as_str() != REGISTER;
            let unused: Vec<_> =
                self.directories.borrow().iter().filter(is_over).map(|(name, _)| name.clone()).collect();
            for name in unused {
                let is_idle = |kept: &Kept| !kept.is_used.get() && directory::is_idle(&kept.directory);
                let ended = {
                    let mut directories = self.directories.borrow_mut();
                    if directories.get(&name).is_some_and(is_idle) { directories.remove(&name) } else { None }
                };
                if ended.is_some() {
                    drop(ended);
                    // To close a file takes a moment.
                    yield_now().await;
                }
            }
        }
        self.is_sweeping.set(false);
    }

    /// Starts what is stored of these objects, one after the other, for what they are to do. Where files are few, those
    /// that have nothing to do give theirs back before the next is started, so that clients find room meanwhile. One that
    /// has waited for [`IDLE`] is started as long as there is a file for it.
    async fn wake(self: Rc<Self>, names: Vec<String>) {
        let open = &self.thread.open;
        for name in names {
            let since = Instant::now();
            let may_start =
                || open.has_room_for_stored() || (since.elapsed() >= IDLE && open.has_room_for_others());
            while !may_start() {
                sleep(WAKE_PAUSE).await;
            }
            if *self.thread.stopping.borrow() {
                return;
            }
            if parse_object_name(&name).is_some() {
                // Whatever it asks, the shard starts.
                let (reply, answer) = oneshot::channel();
                self.to_shard(&name, ShardMessage::Call(ShardCall::Room, reply));
                let _ = answer.await;
            } else {
                self.directory(&name);
                yield_now().await;
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

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::task::LocalSet;
    use tokio::time::timeout;
    use webpubsub_shard::HubSettings;

    use super::*;
    use crate::storage::Durability;

    /// Which of these directories are in memory, and how many files of theirs are open, some time after each has been
    /// given what a hub's directory is.
    async fn after(
        durability: Durability,
        name: &str,
        given: [(&str, DirectoryCall); 2],
    ) -> (Vec<String>, usize) {
        let objects = Objects::of(Rc::new(Thread::alone(durability, name)));
        let before = objects.thread.open.all();
        let tasks = LocalSet::new();
        let left = tasks.run_until(async {
            for (name, call) in given {
                let (reply, answer) = oneshot::channel();
                objects.answer(name, call, reply);
                assert!(answer.await.is_ok());
            }
            sleep(3 * IDLE).await;
            let names = objects.directories.borrow().keys().cloned().collect();
            (names, objects.thread.open.all() - before)
        });
        let left = left.await;
        if durability != Durability::Memory {
            fs::remove_dir_all(objects.thread.storage.file("").ancestors().nth(2).unwrap()).unwrap();
        }
        left
    }

    fn record() -> DirectoryCall {
        DirectoryCall::KeepDelivery("{}".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_that_is_not_used_gives_its_file_back() {
        let given = [("asked", DirectoryCall::View), ("stored", record())];
        assert_eq!(after(Durability::Normal, "unused", given).await, (Vec::new(), 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_register_stays_in_memory() {
        let given = [(REGISTER, DirectoryCall::Keys), ("stored", record())];
        assert_eq!(after(Durability::Normal, "register", given).await, (vec![REGISTER.to_owned()], 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_that_has_something_to_do_stays_in_memory() {
        // No shard takes them, to which they are sent again and again.
        let change = DirectoryCall::ChangeSettings(Some(HubSettings::default()));
        let given = [("busy", change), ("stored", record())];
        assert_eq!(after(Durability::Normal, "busy", given).await, (vec!["busy".to_owned()], 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_stored_nowhere_else_stays_in_memory() {
        let given = [("asked", DirectoryCall::View), ("stored", record())];
        assert_eq!(after(Durability::Memory, "memory", given).await, (vec!["stored".to_owned()], 0));
    }

    /// Waits until a directory is in memory with something to do, for some pauses at most.
    async fn until_started(objects: &Objects, name: &str) {
        let is_started = || {
            let directories = objects.directories.borrow();
            directories.get(name).is_some_and(|kept| !directory::is_idle(&kept.directory))
        };
        timeout(3 * MAX_PAUSE, async {
            while !is_started() {
                sleep(PAUSE / 4).await;
            }
        })
        .await
        .unwrap();
    }

    /// The thread's objects with a directory that has something to do.
    async fn busy(name: &str) -> Rc<Objects> {
        let objects = Objects::of(Rc::new(Thread::alone(Durability::Normal, name)));
        let (reply, answer) = oneshot::channel();
        objects.answer("busy", DirectoryCall::ChangeSettings(Some(HubSettings::default())), reply);
        answer.await.unwrap();
        objects
    }

    fn remove_files(objects: &Objects) {
        fs::remove_dir_all(objects.thread.storage.file("").ancestors().nth(2).unwrap()).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_whose_alarm_fails_is_started_again() {
        LocalSet::new()
            .run_until(async {
                let objects = busy("alarm-fails").await;
                let failing = Rc::downgrade(&objects.directories.borrow()["busy"].directory);
                failing.upgrade().unwrap().host().refuse_writes();
                // No request comes, and still it does what it has to do.
                while failing.upgrade().is_some() {
                    sleep(PAUSE / 4).await;
                }
                until_started(&objects, "busy").await;
                remove_files(&objects);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_that_cannot_start_is_started_again() {
        LocalSet::new()
            .run_until(async {
                let objects = busy("start-fails").await;
                let kept = objects.directories.borrow_mut().remove("busy");
                drop(kept);
                // Its file is another's meanwhile.
                let other = objects.thread.storage.database("busy").unwrap();
                Rc::clone(&objects).wake(vec!["busy".to_owned()]).await;
                sleep(3 * MAX_PAUSE).await;
                assert!(objects.directories.borrow().is_empty());
                drop(other);
                until_started(&objects, "busy").await;
                sleep(3 * MAX_PAUSE).await;
                assert!(objects.failed.borrow().is_empty(), "it is not started any more");
                remove_files(&objects);
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_that_is_used_stays_in_memory() {
        let objects = Objects::of(Rc::new(Thread::alone(Durability::Memory, "used")));
        LocalSet::new()
            .run_until(async {
                let first = Rc::downgrade(&objects.directory("chat").unwrap());
                for _ in 0..10 {
                    sleep(IDLE * 3 / 4).await;
                    assert!(std::rc::Weak::ptr_eq(
                        &first,
                        &Rc::downgrade(&objects.directory("chat").unwrap())
                    ));
                }
            })
            .await;
    }
}

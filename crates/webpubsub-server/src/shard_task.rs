//! The task of one shard: it takes what has arrived, has the shard carry it out in turns, commits once, and then
//! lets leave what follows.

mod take;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, WeakUnboundedSender};
use tokio::time::{Instant, Sleep, sleep, timeout};
use webpubsub_protocol::name::HubName;
use webpubsub_service::{parse_object_name, relay, restore_shard};
use webpubsub_shard::{Driver, Sockets as SocketLife};
use webpubsub_store::ShardStore;

use crate::arrivals::Arrivals;
use crate::callers::{Callers, commands};
use crate::credit::Credit;
use crate::database::DatabaseError;
use crate::event_host::deliver;
use crate::running::Running;
use crate::shard_host::{ShardHost, Waiting};
use crate::shard_message::{Ended, Life, ShardMessage, WayBack};
use crate::storage::Durability;
use crate::thread::{IDLE, Thread};
use crate::{clock, log};

/// How much is received at once by a shard that has nothing to do.
const TAKEN_AT_ONCE: usize = 256;
/// How much may be on its way to the sockets of other threads before nothing more is taken: some milliseconds of
/// their work.
const MAX_OUTGOING_BYTES: usize = 16 << 20;
/// How long a shard or a directory that could not go on is left alone, and one that could not start at first.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);
/// How long one is left alone that has failed to start again and again.
pub(crate) const MAX_PAUSE: Duration = Duration::from_secs(8);

/// One shard's task.
pub(crate) struct ShardTask {
    thread: Rc<Thread>,
    name: String,
    hub: HubName,
    inbox: UnboundedReceiver<ShardMessage>,
    itself: WeakUnboundedSender<ShardMessage>,
    /// The one that began last.
    life: Life,
    /// Has the next thing for the shard start it again.
    forget: Box<dyn Fn()>,
    /// For what is on its way to sockets on other threads.
    credit: Arc<Credit>,
    /// What has arrived and is not taken.
    arrivals: Arrivals,
    /// Who is about to send the next command.
    callers: Callers,
    /// Ends a wait for something to do, at the time that is due or before it: one that is set is not set anew for each.
    alarm: Pin<Box<Sleep>>,
    /// When something was last to do.
    last_busy: Instant,
}

/// Whether a task goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl ShardTask {
    /// A task for an object of this name, if that is a shard's.
    pub(crate) fn new(
        thread: Rc<Thread>,
        name: &str,
        inbox: UnboundedReceiver<ShardMessage>,
        itself: WeakUnboundedSender<ShardMessage>,
        forget: Box<dyn Fn()>,
    ) -> Option<Self> {
        let (hub, _) = parse_object_name(name)?;
        let credit = Credit::of(MAX_OUTGOING_BYTES);
        Some(Self {
            thread,
            name: name.to_owned(),
            hub,
            inbox,
            itself,
            life: Life::default(),
            forget,
            credit,
            arrivals: Arrivals::default(),
            callers: Callers::new(),
            alarm: Box::pin(sleep(IDLE)),
            last_busy: Instant::now(),
        })
    }

    /// Runs until the shard has nothing to do, or the process ends.
    pub(crate) async fn run(mut self) {
        let mut pause = PAUSE;
        loop {
            let (what, error) = match self.start() {
                Ok(mut running) => {
                    pause = PAUSE;
                    match caught(self.serve(&mut running)).await {
                        Ok(()) => return,
                        Err(error) => {
                            running.host.database.roll_back();
                            running.host.fail();
                            self.release(&mut running);
                            ("a shard's step", error)
                        }
                    }
                }
                Err(error) => ("starting a shard", error),
            };
            let file = self.thread.storage.file(&self.name);
            log::file_failure(&format!("{what} of hub {}", self.hub), &file, &error);
            self.arrivals = Arrivals::default();
            if self.refuse(pause).await == Next::End {
                return;
            }
            pause = (2 * pause).min(MAX_PAUSE);
        }
    }

    /// Puts the shard together from its tables.
    fn start(&mut self) -> Result<Running, DatabaseError> {
        self.life = self.life.next();
        let Thread { config, storage, peers, .. } = &*self.thread;
        let database = storage.database(&self.name)?;
        let store = ShardStore::open(database.clone(), Some(self.name.clone()))?;
        let life = SocketLife::EndWithMemory;
        let restored = restore_shard(clock::steady(), config, &store, life, &[])?;
        let is_known = store.object().is_registered()?;
        let host = ShardHost::new(self.life, database, store, self.hub.clone(), peers.0.len());
        let driver = Driver::new(restored.shard);
        let mut running = Running { driver, host, is_known, waiting: Vec::new(), stop: None };
        running.driver.perform(&mut running.host, restored.outputs)?;
        running.driver.keep_alarm(&mut running.host);
        running.host.database.commit()?;
        Ok(running)
    }

    async fn serve(&mut self, running: &mut Running) -> Result<(), DatabaseError> {
        self.release(running);
        if !running.is_known {
            self.introduce();
        }
        let mut buffer = Vec::with_capacity(TAKEN_AT_ONCE);
        loop {
            while !self.credit.is_left() {
                self.credit.returned().await;
            }
            let is_idle = self.wait(running, &mut buffer).await;
            let waited = self.callers.gather(&mut self.inbox, &mut buffer, TAKEN_AT_ONCE).await;
            let commands = commands(&buffer);
            running.host.begin_turn();
            buffer.drain(..).for_each(|message| self.arrivals.push(message));
            if is_idle && self.arrivals.is_empty() && self.may_end(running) {
                // Nothing has come since: this thread has done nothing else.
                (self.forget)();
                return Ok(());
            }
            self.take(running)?;
            running.time_out()?;
            if running.host.next_turn.is_some() {
                running.turn()?;
            }
            running.host.database.commit()?;
            self.release(running);
            if commands > 0 {
                self.callers.answered(commands, waited, self.last_busy.elapsed().saturating_sub(waited));
            }
            if let Some(done) = running.stop.take() {
                let _ = done.send(());
                return Ok(());
            }
        }
    }

    /// Waits for something to do. Returns whether there was nothing for a long time.
    async fn wait(&mut self, running: &Running, taken: &mut Vec<ShardMessage>) -> bool {
        if !self.arrivals.is_empty() || running.host.next_turn.is_some() || !self.inbox.is_empty() {
            // Others of the thread come first, among them those who read what arrives: without this one who sends
            // from another thread, faster than a commit, would keep the acknowledgements of this thread's clients
            // unread.
            tokio::task::yield_now().await;
            for _ in 0..self.inbox.len() {
                let Ok(message) = self.inbox.try_recv() else { break };
                self.arrivals.push(message);
            }
            self.last_busy = Instant::now();
            return false;
        }
        let due = [running.host.timer, running.host.alarm].into_iter().flatten().min();
        let limit = due.map_or(IDLE, |due| due.since(clock::steady()).min(IDLE));
        // One that runs ends by then in any case, where nothing is due.
        if due.is_some() || self.alarm.is_elapsed() {
            let until = Instant::now() + limit;
            if self.alarm.is_elapsed() || until < self.alarm.deadline() {
                self.alarm.as_mut().reset(until);
            }
        }
        tokio::select! {
            biased;
            _ = self.inbox.recv_many(taken, TAKEN_AT_ONCE) => {
                self.last_busy = Instant::now();
                false
            }
            () = self.alarm.as_mut() => limit == IDLE && self.last_busy.elapsed() >= IDLE,
        }
    }

    /// For what this life begins.
    fn way_back(&self) -> WayBack {
        WayBack { shard: self.itself.clone(), life: self.life }
    }

    /// Lets leave what waited for the disk.
    fn release(&self, running: &mut Running) {
        for (thread, outgoing) in running.host.take_outgoing() {
            self.thread.to_sockets(thread, outgoing, &self.credit);
        }
        for waiting in std::mem::take(&mut running.host.waiting) {
            match waiting {
                // Who does not wait any more needs no answer.
                Waiting::Reply(reply, answer) => drop(reply.send(answer)),
                Waiting::Answer(reply, answer) => drop(reply.send(answer)),
                Waiting::Offered(reply, answer) => drop(reply.send(answer)),
                Waiting::Relay(to, last, batch) => {
                    let (thread, hub) = (Rc::clone(&self.thread), self.hub.clone());
                    let relayed = async move {
                        Ended::Relay { to, last, taken: relay(&*thread, &hub, to, batch).await }
                    };
                    self.way_back().start(relayed, Ended::Relay { to, last, taken: false });
                }
                Waiting::Call(call, given_up) => {
                    deliver(&self.thread, &self.hub, *call, given_up, self.way_back());
                }
            }
        }
    }

    /// Takes nothing for a while: whoever asks meanwhile is refused.
    async fn refuse(&mut self, pause: Duration) -> Next {
        let refusing = async {
            while let Some(message) = self.inbox.recv().await {
                if let ShardMessage::Stop(done) = message {
                    let _ = done.send(());
                    return Next::End;
                }
            }
            Next::End
        };
        timeout(pause, refusing).await.unwrap_or(Next::GoOn)
    }

    /// Whether the shard has nothing to do until it is asked for something.
    fn may_end(&self, running: &Running) -> bool {
        let Running { driver, host, waiting, .. } = running;
        self.thread.storage.durability != Durability::Memory
            && self.inbox.is_empty()
            && self.arrivals.is_empty()
            && driver.shard.connections() == 0
            && host.timer.is_none()
            && host.alarm.is_none()
            && host.calls.is_empty()
            && waiting.is_empty()
    }
}

/// Makes a panic a failure like any other: its shard would be gone without a word to those whose sockets it has.
async fn caught(serving: impl Future<Output = Result<(), DatabaseError>>) -> Result<(), DatabaseError> {
    AssertUnwindSafe(serving).catch_unwind().await.unwrap_or(Err(DatabaseError::Panicked))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;
    use webpubsub_protocol::event_handler::CallFailure;
    use webpubsub_shard::CallId;

    use super::*;

    #[tokio::test]
    async fn a_later_life_learns_nothing_of_an_earlier_ones() {
        let (shard, inbox) = unbounded_channel();
        let thread = Rc::new(Thread::alone(Durability::Memory, "lives"));
        let mut task = ShardTask::new(thread, "chat/0", inbox, shard.downgrade(), Box::new(|| {})).unwrap();
        let first = task.start().unwrap();
        let mut second = task.start().unwrap();
        let second_life = second.host.life;
        let mut left = |life| {
            second.host.calls.insert(CallId(1), Rc::default());
            let ended = Ended::Call { call: CallId(1), result: Err(CallFailure::GivenUp) };
            task.take_one(&mut second, ShardMessage::Ended(life, ended)).unwrap();
            second.host.calls.len()
        };
        assert_eq!(left(first.host.life), 1, "the call of the same id goes on");
        assert_eq!(left(second_life), 0);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_of_its_shard() {
        let served = caught(async { panic!("a fault of ours") }).await;
        assert!(matches!(served, Err(DatabaseError::Panicked)));
        assert!(matches!(caught(async { Ok(()) }).await, Ok(())));
    }
}

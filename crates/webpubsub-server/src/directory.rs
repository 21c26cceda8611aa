//! The directories of this thread's hubs, and the register of all hubs.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};

use tokio::sync::watch;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::{DirectoryCall, DirectoryDriver, DirectoryHost, ObjectResponse};
use webpubsub_store::{Database, Row, Unreadable, Value};

use crate::database::{DatabaseError, Sqlite};
use crate::event_host::Caller;
use crate::storage::Durability;
use crate::thread::Thread;
use crate::{clock, log};

/// A directory that has started.
pub(crate) type Directory = DirectoryDriver<Host>;

/// Answers a call.
pub(crate) async fn answer(directory: &Rc<Directory>, call: DirectoryCall) -> ObjectResponse {
    let answered = async {
        let answer = directory.answer(call).await?;
        directory.host().database.commit()?;
        Ok::<_, DatabaseError>(answer.encode())
    };
    answered.await.unwrap_or_else(|error| {
        directory.host().fail("a directory's step", &error);
        ObjectResponse { status: 500, body: String::new() }
    })
}

/// Starts the directory of this name. `start_again` is called once it has failed: it is to be started again from the disk.
///
/// # Errors
/// The database's.
pub(crate) fn start(
    thread: &Rc<Thread>,
    name: &str,
    start_again: impl FnOnce() + 'static,
) -> Result<Rc<Directory>, DatabaseError> {
    let database = DirectoryDatabase {
        thread: Rc::clone(thread),
        name: name.to_owned(),
        opened: Rc::default(),
        unset: Rc::default(),
        is_made: Rc::new(Cell::new(thread.storage.has(name))),
    };
    let alarm = if database.is_made.get() { database.open()?.alarm()? } else { None };
    let host = Host {
        database: database.clone(),
        alarm: Cell::new(0),
        is_due: Cell::new(false),
        itself: OnceCell::new(),
        start_again: RefCell::new(Some(Box::new(start_again))),
    };
    let directory = Rc::new(Directory::start(host, Rc::clone(&thread.config))?);
    // It is set once: the host is new.
    let _ = directory.host().itself.set(Rc::downgrade(&directory));
    database.commit()?;
    // From here on it is made with the first thing that is stored.
    database.is_made.set(true);
    if let Some(due) = alarm {
        directory.host().ring(due);
    }
    Ok(directory)
}

/// Whether a directory has nothing to do until it is asked for something, and everything that it knows is on disk.
pub(crate) fn is_idle(directory: &Rc<Directory>) -> bool {
    let Host { database, is_due, .. } = directory.host();
    let is_stored =
        database.opened.get().is_none() || database.thread.storage.durability != Durability::Memory;
    // Every answer and every handshake that is under way holds it.
    is_stored && !is_due.get() && Rc::strong_count(directory) == 1
}

/// What a directory's driver needs, on this platform.
pub(crate) struct Host {
    database: DirectoryDatabase,
    /// How often the alarm was set.
    alarm: Cell<u64>,
    /// Whether it is set.
    is_due: Cell<bool>,
    itself: OnceCell<Weak<Directory>>,
    /// Has the directory be started again from the disk; `None` once it has failed.
    start_again: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Host {
    /// Has the directory do what it has to do then, unless the alarm is set anew before.
    fn ring(&self, due: Timestamp) {
        let number = self.alarm.get();
        let Some(directory) = self.itself.get().cloned() else { return };
        self.is_due.set(true);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(due.since(clock::steady())).await;
            let Some(directory) = directory.upgrade() else { return };
            let host = directory.host();
            if host.alarm.get() != number {
                return;
            }
            host.is_due.set(false);
            if let Err(error) = directory.alarm().await.and_then(|()| host.database.commit()) {
                host.fail("a directory's alarm", &error);
            }
        });
    }

    /// What the directory believes is not on disk.
    fn fail(&self, what: &str, error: &DatabaseError) {
        // Nor is what its alarm was set for: whoever still has this directory is not to be woken by it.
        self.alarm.update(|number| number + 1);
        let DirectoryDatabase { name, thread, .. } = &self.database;
        log::file_failure(&format!("{what}, {name}"), &thread.storage.file(name), error);
        self.database.roll_back();
        if let Some(start_again) = self.start_again.take() {
            start_again();
        }
    }
}

#[cfg(test)]
impl Host {
    /// Has the disk take nothing more of the directory.
    pub(crate) fn refuse_writes(&self) {
        self.database.opened.get().unwrap().refuse_writes();
    }
}

impl DirectoryHost for Host {
    type Database = DirectoryDatabase;
    type Objects = Thread;
    type Events<'a> = Caller;
    type Task = watch::Receiver<Option<bool>>;

    fn now(&self) -> Timestamp {
        clock::steady()
    }

    fn database(&self) -> DirectoryDatabase {
        self.database.clone()
    }

    fn name(&self) -> Option<String> {
        Some(self.database.name.clone())
    }

    fn set_alarm(&self, due: Option<Timestamp>) {
        self.alarm.set(self.alarm.get() + 1);
        self.is_due.set(false);
        if let Err(error) = self.database.open().and_then(|database| database.set_alarm(due)) {
            self.database.unset.set(Some(error));
        }
        if let Some(due) = due {
            self.ring(due);
        }
    }

    fn objects(&self) -> Result<&Thread, DatabaseError> {
        self.database.commit()?;
        Ok(&self.database.thread)
    }

    fn events<'a>(&'a self, hub: &'a HubName) -> Caller {
        Caller { thread: Rc::clone(&self.database.thread), hub: hub.to_string(), given_up: Rc::default() }
    }

    fn start(&self, task: impl Future<Output = Option<bool>> + 'static) -> Self::Task {
        let (done, outcome) = watch::channel(None);
        let (database, itself) = (self.database.clone(), self.itself.get().cloned());
        tokio::task::spawn_local(async move {
            let outcome = task.await;
            match database.commit() {
                Ok(()) => drop(done.send(outcome)),
                Err(error) => match itself.and_then(|directory| directory.upgrade()) {
                    Some(directory) => directory.host().fail("keeping a handshake", &error),
                    // It has failed meanwhile.
                    None => database.roll_back(),
                },
            }
        });
        outcome
    }

    async fn outcome(mut task: Self::Task) -> Option<bool> {
        // A task that has failed ends the wait, too.
        *task.wait_for(Option::is_some).await.ok()?
    }

    fn log_failure(&self, what: &str, error: &DatabaseError) {
        log::failure(what, error);
    }
}

/// The database of a directory. A question about a hub that was never used leaves no file.
#[derive(Clone)]
pub(crate) struct DirectoryDatabase {
    thread: Rc<Thread>,
    name: String,
    opened: Rc<OnceCell<Sqlite>>,
    /// Why the alarm is not stored that was set last, which fails the next commit.
    unset: Rc<Cell<Option<DatabaseError>>>,
    /// Whether it is there, or may be made.
    is_made: Rc<Cell<bool>>,
}

impl DirectoryDatabase {
    fn open(&self) -> Result<&Sqlite, DatabaseError> {
        if let Some(database) = self.opened.get() {
            return Ok(database);
        }
        let database = self.thread.storage.database(&self.name)?;
        Ok(self.opened.get_or_init(|| database))
    }

    fn commit(&self) -> Result<(), DatabaseError> {
        if let Some(error) = self.unset.take() {
            return Err(error);
        }
        self.opened.get().map_or(Ok(()), Sqlite::commit)
    }

    fn roll_back(&self) {
        if let Some(database) = self.opened.get() {
            database.roll_back();
        }
    }
}

impl Database for DirectoryDatabase {
    type Error = DatabaseError;

    fn query(&self, statements: &'static str, values: &[Value<'_>]) -> Result<Vec<Row>, DatabaseError> {
        if self.is_made.get() { self.open()?.query(statements, values) } else { Ok(Vec::new()) }
    }

    fn log_unreadable(&self, what: Unreadable) {
        if let Some(database) = self.opened.get() {
            database.log_unreadable(what);
        }
    }
}

//! The loop around a directory: it answers calls, stores what a step decides, delivers views, registers the
//! hub and has event handlers validated.

use std::cell::{OnceCell, RefCell, RefMut};
use std::future::Future;
use std::rc::Rc;

use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::HubSettings;
use webpubsub_store::{Database, DirectoryStore, ObjectStore, OpenError, Unreadable};

use crate::config::Config;
use crate::deliveries::join_deliveries;
use crate::directory::{Directory, Fact, Handler, Input, Output};
use crate::event_call::EventCall;
use crate::event_driver::EventHost;
use crate::keys::StoredKeys;
use crate::object_api::{DirectoryAnswer, DirectoryCall, ShardAnswer, ShardCall, shard_names};
use crate::objects::{Objects, register};
use crate::sign_in::SignIns;

/// The fact that has [`SignIns`].
const SIGN_INS: &str = "signIns";

/// The fact that has [`StoredKeys`].
const KEYS: &str = "keys";

/// The database, network, alarm and clock of one directory.
///
/// A host owes the directory:
///
/// - **Nothing leaves before it is stored.** What a method sends, and the answer to a call, may leave only
///   when everything that was stored before is on disk.
/// - **The time.** [`DirectoryDriver::alarm`] at the time that was set, or after it.
pub trait DirectoryHost: Sized + 'static {
    /// The directory's SQLite database.
    type Database: Database;
    /// The way to other objects.
    type Objects: Objects;
    /// The way to the event handlers of one hub.
    type Events<'a>: EventHost
    where
        Self: 'a;
    /// A task that was started, for several to wait for.
    type Task: Clone;

    /// The time.
    fn now(&self) -> Timestamp;

    /// The database, which is empty for a directory that has never stored anything.
    fn database(&self) -> Self::Database;

    /// The directory's name, if the host knows it: that of its hub, or [`crate::REGISTER`].
    fn name(&self) -> Option<String>;

    /// Sets the alarm in place of the one that is set; `None` deletes it. It outlives the memory.
    fn set_alarm(&self, due: Option<Timestamp>);

    /// Returns the way to other objects, once everything that was stored before is on disk.
    ///
    /// # Errors
    /// The disk does not take it.
    fn objects(&self) -> Result<&Self::Objects, ErrorOf<Self>>;

    /// Returns the way to the event handlers of a hub.
    fn events<'a>(&'a self, hub: &'a HubName) -> Self::Events<'a>;

    /// Starts a task once the caller has done what it is doing. It goes on whether somebody waits for it or not.
    fn start(&self, task: impl Future<Output = Option<bool>> + 'static) -> Self::Task;

    /// Waits for what a task comes to, once what it stored is on disk; `None` where it failed.
    fn outcome(task: Self::Task) -> impl Future<Output = Option<bool>>;

    /// Writes to the log that something failed.
    fn log_failure(&self, what: &str, error: &ErrorOf<Self>);
}

/// The error of a host's database.
pub type ErrorOf<H> = <<H as DirectoryHost>::Database as Database>::Error;

/// A directory, and its tables.
pub struct DirectoryDriver<H: DirectoryHost> {
    host: H,
    config: Rc<Config>,
    /// Made with the first thing that is stored: a question about a hub that was never used leaves no trace.
    store: OnceCell<DirectoryStore<H::Database>>,
    /// `None` until it is put together from what is stored. Borrowed for the length of one step, never across an
    /// `.await`.
    directory: RefCell<Option<Directory>>,
    /// The validations of handlers that are under way.
    validations: RefCell<Vec<(Handler, H::Task)>>,
}

/// What a step came to, for the caller.
#[derive(Default)]
struct Step {
    /// Whether the shards are to be given the view.
    deliver: bool,
    /// Whether every shard has taken the view.
    taken: bool,
    /// Whether a handler wants events.
    allowed: Option<bool>,
}

impl<H: DirectoryHost> DirectoryDriver<H> {
    /// Opens the tables of a directory, if it has any.
    ///
    /// # Errors
    /// The database's.
    pub fn start(host: H, config: Rc<Config>) -> Result<Self, ErrorOf<H>> {
        let (store, database) = (OnceCell::new(), host.database());
        if ObjectStore::exists(&database)? {
            // It is set once: the cell is new.
            let _ = store.set(DirectoryStore::open(database, host.name())?);
        }
        Ok(Self { host, config, store, directory: RefCell::default(), validations: RefCell::default() })
    }

    /// The host.
    pub const fn host(&self) -> &H {
        &self.host
    }

    /// The tables, made if there are none.
    ///
    /// # Errors
    /// The database's.
    pub fn store(&self) -> Result<&DirectoryStore<H::Database>, ErrorOf<H>> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = DirectoryStore::open(self.host.database(), self.host.name())?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Answers a call.
    ///
    /// # Errors
    /// The host's. What was decided is what is stored.
    pub async fn answer(self: &Rc<Self>, call: DirectoryCall) -> Result<DirectoryAnswer, ErrorOf<H>> {
        Ok(match call {
            DirectoryCall::View => DirectoryAnswer::Text(self.directory()?.view().encode()),
            DirectoryCall::ChangeSettings(settings) => {
                let step = self.step(Input::ChangeSettings(settings))?;
                let is_registered = self.register().await?;
                let taken = self.deliver(&step).await?;
                // A hub that is not in the register is not looked at for callers without a token, whom the settings may
                // let in.
                DirectoryAnswer::Taken(is_registered && taken)
            }
            DirectoryCall::Validate(handler) => {
                let allowed = self.is_allowed(handler).await?;
                allowed.map_or(DirectoryAnswer::Taken(false), DirectoryAnswer::Allowed)
            }
            DirectoryCall::KeepDelivery(delivery) => {
                self.store()?.object().keep_delivery(&delivery)?;
                DirectoryAnswer::Taken(true)
            }
            DirectoryCall::Deliveries | DirectoryCall::GoAway => {
                let is_question = call == DirectoryCall::Deliveries;
                let asked = if is_question { ShardCall::Deliveries } else { ShardCall::GoAway };
                let names = shard_names(&self.hub()?, &self.directory()?.view().map);
                let answers = self.host.objects()?.ask_shards(names, asked).await;
                match answers.into_iter().collect::<Option<Vec<String>>>() {
                    Some(mut lists) if is_question => {
                        if let Some(store) = self.store.get() {
                            lists.push(store.object().deliveries()?);
                        }
                        DirectoryAnswer::Text(join_deliveries(&lists))
                    }
                    answers => DirectoryAnswer::Taken(answers.is_some()),
                }
            }
            DirectoryCall::AddHub(hub) => {
                self.store()?.add_hub(hub.as_str())?;
                DirectoryAnswer::Taken(true)
            }
            DirectoryCall::SignIn(attempt) => {
                let store = self.store()?;
                let before =
                    store.fact(SIGN_INS)?.and_then(|text| SignIns::decode(&text)).unwrap_or_default();
                let mut after = before.clone();
                let allowed = after.take(self.host.now(), attempt);
                if after != before {
                    store.put_fact(SIGN_INS, &after.encode())?;
                }
                DirectoryAnswer::Allowed(allowed)
            }
            DirectoryCall::Keys => {
                let stored = self.store.get().map_or(Ok(None), |store| store.fact(KEYS))?;
                DirectoryAnswer::Text(stored.unwrap_or_default())
            }
            DirectoryCall::ChangeKeys(change) => {
                let store = self.store()?;
                let before = store.fact(KEYS)?.unwrap_or_default();
                let Some(before) = StoredKeys::decode(&before) else {
                    // Keys that cannot be read are not written over.
                    return Ok(DirectoryAnswer::Taken(false));
                };
                let after = before.change(&self.config.keys, change).encode();
                store.put_fact(KEYS, &after)?;
                DirectoryAnswer::Text(after)
            }
            DirectoryCall::Hubs => {
                let names = self.store.get().map_or(Ok(Vec::new()), DirectoryStore::hubs)?;
                DirectoryAnswer::Text(names.join("\n"))
            }
        })
    }

    /// The alarm has fired: delivers the view again.
    ///
    /// # Errors
    /// The host's.
    pub async fn alarm(self: &Rc<Self>) -> Result<(), ErrorOf<H>> {
        let step = self.step(Input::Timeout)?;
        self.deliver(&step).await.map(drop)
    }

    /// Starts the handshake with a handler of which `known` is stored.
    fn begin_validation(self: &Rc<Self>, handler: Handler, known: Option<Validation>) {
        let (this, key) = (Rc::clone(self), handler.clone());
        let task = self.host.start(async move {
            let validated = this.validate(handler.clone(), known).await;
            this.validations.borrow_mut().retain(|(other, _)| *other != handler);
            validated.inspect_err(|error| this.host.log_failure("keeping a handshake", error)).ok()
        });
        self.validations.borrow_mut().push((key, task));
    }

    /// Makes the handshake with a handler, and stores what it came to. Returns whether it wants events.
    async fn validate(
        self: &Rc<Self>,
        handler: Handler,
        known: Option<Validation>,
    ) -> Result<bool, ErrorOf<H>> {
        let hub = self.hub();
        let allowed = match &hub {
            Ok(hub) => {
                let policy = self.config.policy(hub, HubSettings::default());
                let Handler { url, origin } = &handler;
                let mut call = EventCall::handshake(self.host.now(), &policy, url, origin);
                let keep = |record: &str| {
                    let kept = self.store().and_then(|store| store.object().keep_delivery(record));
                    if let Err(error) = kept {
                        self.host.log_failure("keeping a delivery", &error);
                    }
                };
                Some(call.make(&self.host.events(hub), &keep, None).await.is_ok())
            }
            Err(_) => None,
        };
        self.step(Input::Validated { handler, known, allowed })?;
        hub.map(|_| allowed.unwrap_or_default())
    }

    /// Has the register of hubs take this hub, unless the tables say that it has. Returns whether it has.
    async fn register(&self) -> Result<bool, ErrorOf<H>> {
        let (object, hub) = (self.store()?.object(), self.hub()?);
        if !object.is_registered()? && register(self.host.objects()?, &hub).await {
            object.set_registered()?;
        }
        object.is_registered()
    }

    /// The hub whose directory it is.
    ///
    /// # Errors
    /// It is the register, or the host knows no name.
    pub fn hub(&self) -> Result<HubName, ErrorOf<H>> {
        let name = self.store.get().map(|store| store.object().name().to_owned());
        let hub = name.or_else(|| self.host.name()).and_then(|name| HubName::parse(&name).ok());
        hub.ok_or_else(|| OpenError::NoName.into())
    }

    /// Whether an event handler wants events of this service; `None` where that could not be found out.
    async fn is_allowed(self: &Rc<Self>, handler: Handler) -> Result<Option<bool>, ErrorOf<H>> {
        let Handler { url, origin } = &handler;
        let known = self.store.get().map_or(Ok(None), |store| store.validation(url, origin))?;
        match self.step(Input::Validate { handler: handler.clone(), known })?.allowed {
            Some(allowed) => Ok(Some(allowed)),
            None => {
                let is_it = |(other, _): &&(Handler, H::Task)| *other == handler;
                let task = self.validations.borrow().iter().find(is_it).map(|(_, task)| task.clone());
                Ok(match task {
                    Some(task) => H::outcome(task).await,
                    None => None,
                })
            }
        }
    }

    /// The directory, as it is stored if it is not in memory.
    fn directory(&self) -> Result<RefMut<'_, Directory>, ErrorOf<H>> {
        let mut slot = self.directory.borrow_mut();
        let directory = match slot.take() {
            Some(directory) => directory,
            None => self.load()?,
        };
        Ok(RefMut::map(slot, |slot| slot.insert(directory)))
    }

    fn load(&self) -> Result<Directory, ErrorOf<H>> {
        let mut facts = Fact::ALL.map(|_| None);
        if let Some(store) = self.store.get() {
            for (fact, value) in Fact::ALL.iter().zip(&mut facts) {
                *value = store.fact(fact.name())?;
            }
        }
        let config = self.config.directory(self.hub().ok().as_ref());
        let (directory, error) = Directory::restore(config, facts.each_ref().map(Option::as_deref));
        if let Some(error) = error {
            self.host.database().log_unreadable(Unreadable::Settings(error));
        }
        Ok(directory)
    }

    /// Gives the directory one input and does what it returns.
    fn step(self: &Rc<Self>, input: Input) -> Result<Step, ErrorOf<H>> {
        let outputs = self.directory()?.handle(self.host.now(), input);
        let step = self.perform(outputs);
        if step.is_err() {
            // What could not be stored was not decided.
            self.directory.take();
        }
        step
    }

    fn perform(self: &Rc<Self>, outputs: Vec<Output>) -> Result<Step, ErrorOf<H>> {
        let mut step = Step::default();
        for output in outputs {
            match output {
                Output::Store(fact, value) => self.store()?.put_fact(fact.name(), &value)?,
                Output::StoreValidation(Handler { url, origin }, validation) => {
                    self.store()?.put_validation(&url, &origin, &validation)?;
                }
                Output::Deliver => step.deliver = true,
                Output::Taken(taken) => step.taken = taken,
                Output::SetAlarm(at) => self.host.set_alarm(Some(at)),
                Output::ClearAlarm => self.host.set_alarm(None),
                Output::Validate(handler, known) => self.begin_validation(handler, known),
                Output::Allowed(allowed) => step.allowed = Some(allowed),
            }
        }
        Ok(step)
    }

    /// Delivers the view to every shard, if that follows from a step. Returns whether all have taken it.
    async fn deliver(self: &Rc<Self>, step: &Step) -> Result<bool, ErrorOf<H>> {
        if !step.deliver {
            return Ok(false);
        }
        let view = self.directory()?.view().clone();
        let (names, version, since) = (shard_names(&self.hub()?, &view.map), view.map.version, view.since);
        let answers = self.host.objects()?.ask_shards(names, ShardCall::View(view)).await;
        let loads = answers.iter().map(|answer| ShardAnswer::load(answer.as_deref())).collect();
        Ok(self.step(Input::Delivered { version, since, loads })?.taken)
    }
}

//! The Durable Object of one hub: its settings, how many shards it has, and what its event handlers
//! said in their handshakes. One more, the register, has the names of all hubs.
#![expect(missing_docs, clippy::missing_errors_doc, reason = "the platform calls the handlers")]

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::directory::{Directory, Fact, Handler, Input, Output};
use webpubsub_service::{
    Config, DirectoryAnswer, DirectoryCall, EventCall, ObjectResponse, ShardAnswer, ShardCall, shard_names,
};
use webpubsub_shard::HubSettings;
use webpubsub_store::DirectoryStore;
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::event_handler::{Caller, Calls};
use crate::objects::ask_shards;
use crate::platform::{Error, Result, State, delete_alarm, now, object_name as name_of, set_alarm};
use crate::register::register;
use crate::sql::{Sql, has_tables, keep_delivery, open_directory};
use crate::task::{run, run_later, settled};
use crate::{config, http, log};

/// One hub.
#[wasm_bindgen]
pub struct HubDirectory {
    host: std::result::Result<Rc<DirectoryHost>, String>,
}

struct DirectoryHost {
    state: State,
    env: Env,
    config: Rc<Config>,
    /// Made with the first thing that is stored: a question about a hub that was never used leaves no
    /// trace.
    store: OnceCell<DirectoryStore<Sql>>,
    /// Borrowed for the length of one step, never across an `.await`.
    directory: RefCell<Directory>,
    /// The validations of handlers that are under way.
    validations: RefCell<Vec<(Handler, Promise)>>,
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

#[wasm_bindgen]
impl HubDirectory {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let host = DirectoryHost::start(state, env).map(Rc::new).map_err(|error| {
            log::failure("starting a directory", &error);
            error.to_string()
        });
        Self { host }
    }

    pub fn fetch(&self, request: Request) -> std::result::Result<JsValue, JsValue> {
        let host = self.host.as_ref().ok().map(Rc::clone);
        run(async move {
            let answer = match host {
                Some(host) => host.fetch(&request).await,
                None => http::text(500, ""),
            };
            Ok(answer?.into())
        })
    }

    pub fn alarm(&self) -> std::result::Result<JsValue, JsValue> {
        let host = self.host.as_ref().ok().map(Rc::clone);
        run(async move {
            if let Some(host) = host {
                let step = host.step(Input::Timeout)?;
                host.deliver(&step).await?;
            }
            Ok(JsValue::UNDEFINED)
        })
    }
}

impl DirectoryHost {
    fn start(state: State, env: Env) -> Result<Self> {
        let config = config::of(&env).map_err(Error::new)?;
        let store = OnceCell::new();
        if has_tables(&state)? {
            let _ = store.set(open_directory(&state)?);
        }
        let directory = RefCell::new(load(&config, &state, store.get())?);
        Ok(Self { state, env, config, store, directory, validations: RefCell::default() })
    }

    /// The tables, made if there are none.
    fn store(&self) -> Result<&DirectoryStore<Sql>> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = open_directory(&self.state)?;
        Ok(self.store.get_or_init(|| store))
    }

    async fn fetch(self: &Rc<Self>, request: &Request) -> Result<Response> {
        let url = request.url();
        let path = RequestUrl::split(&url).map_or("", |url| url.path);
        let body = http::body_text(request.text()).await?;
        let Some(call) = DirectoryCall::decode(path, &body) else {
            return http::object(ObjectResponse::not_understood());
        };
        http::object(self.answer(call).await?.encode())
    }

    async fn answer(self: &Rc<Self>, call: DirectoryCall) -> Result<DirectoryAnswer> {
        Ok(match call {
            DirectoryCall::View => DirectoryAnswer::Text(self.directory.borrow().view().encode()),
            DirectoryCall::ChangeSettings(settings) => {
                let step = self.step(Input::ChangeSettings(settings))?;
                register(&self.env, self.store()?.object(), &self.hub()?).await;
                let taken = self.deliver(&step).await;
                // A hub that is not in the register is not looked at for callers without a token, whom the settings may
                // let in.
                DirectoryAnswer::Taken(self.store()?.object().is_registered()? && taken?)
            }
            DirectoryCall::Validate(handler) => DirectoryAnswer::Allowed(self.is_allowed(handler).await?),
            DirectoryCall::KeepDelivery(delivery) => {
                self.store()?.object().keep_delivery(&delivery)?;
                DirectoryAnswer::Taken(true)
            }
            DirectoryCall::Deliveries => DirectoryAnswer::Text(match self.store.get() {
                Some(store) => store.object().deliveries()?,
                None => "[]".to_owned(),
            }),
            DirectoryCall::GoAway => {
                let names = shard_names(&self.hub()?, &self.directory.borrow().view().map);
                let answers = ask_shards(&self.env, names, ShardCall::GoAway).await?;
                DirectoryAnswer::Taken(answers.iter().all(Option::is_some))
            }
            DirectoryCall::AddHub(hub) => {
                self.store()?.add_hub(hub.as_str())?;
                DirectoryAnswer::Taken(true)
            }
            DirectoryCall::Hubs => {
                let names = self.store.get().map_or(Ok(Vec::new()), DirectoryStore::hubs)?;
                DirectoryAnswer::Text(names.join("\n"))
            }
        })
    }

    fn hub(&self) -> Result<HubName> {
        hub_of(&self.state, self.store.get())
    }

    /// Gives the directory one input and does what it returns.
    fn step(self: &Rc<Self>, input: Input) -> Result<Step> {
        let outputs = self.directory.borrow_mut().handle(now(), input);
        let step = self.perform(outputs);
        if step.is_err() {
            // What could not be stored was not decided.
            self.directory.replace(load(&self.config, &self.state, self.store.get())?);
        }
        step
    }

    fn perform(self: &Rc<Self>, outputs: Vec<Output>) -> Result<Step> {
        let mut step = Step::default();
        for output in outputs {
            match output {
                Output::Store(fact, value) => self.store()?.put_fact(fact.name(), &value)?,
                Output::StoreValidation(Handler { url, origin }, validation) => {
                    self.store()?.put_validation(&url, &origin, &validation)?;
                }
                Output::Deliver => step.deliver = true,
                Output::Taken(taken) => step.taken = taken,
                Output::SetAlarm(at) => set_alarm(&self.state, at.as_millis() as f64),
                Output::ClearAlarm => delete_alarm(&self.state),
                Output::Validate(handler, known) => self.validate(handler, known),
                Output::Allowed(allowed) => step.allowed = Some(allowed),
            }
        }
        Ok(step)
    }

    /// Delivers the view to every shard, if that follows from a step. Returns whether all have taken it.
    async fn deliver(self: &Rc<Self>, step: &Step) -> Result<bool> {
        if !step.deliver {
            return Ok(false);
        }
        let view = self.directory.borrow().view().clone();
        let (names, version, since) = (shard_names(&self.hub()?, &view.map), view.map.version, view.since);
        let answers = ask_shards(&self.env, names, ShardCall::View(view)).await?;
        let loads = answers.iter().map(|answer| ShardAnswer::load(answer.as_deref())).collect();
        Ok(self.step(Input::Delivered { version, since, loads })?.taken)
    }

    /// Whether an event handler wants events of this service.
    async fn is_allowed(self: &Rc<Self>, handler: Handler) -> Result<bool> {
        let known = self.validation(&handler)?;
        if let Some(allowed) = self.step(Input::Validate { handler: handler.clone(), known })?.allowed {
            return Ok(allowed);
        }
        let under_way = self.validations.borrow().iter().find(|(other, _)| *other == handler).cloned();
        let allowed = match under_way {
            Some((_, promise)) => settled(promise).await?.as_bool(),
            None => None,
        };
        allowed.ok_or_else(|| Error::new("a validation failed"))
    }

    /// What is stored of the last validation of a handler.
    fn validation(&self, Handler { url, origin }: &Handler) -> Result<Option<Validation>> {
        self.store.get().map_or(Ok(None), |store| store.validation(url, origin))
    }

    /// Begins to validate a handler. The promise resolves with whether it wants events.
    fn validate(self: &Rc<Self>, handler: Handler, known: Option<Validation>) {
        let (this, key) = (Rc::clone(self), handler.clone());
        let promise = run_later(async move {
            let validated = this.ask_handler(&handler).await;
            this.validations.borrow_mut().retain(|(other, _)| *other != handler);
            let allowed = validated.as_ref().ok().copied();
            let kept = this.step(Input::Validated { handler, known, allowed });
            Ok(validated.and_then(|allowed| kept.map(|_| allowed)).map_or_else(
                |error| {
                    log::failure("keeping a handshake", &error);
                    JsValue::UNDEFINED
                },
                JsValue::from,
            ))
        });
        self.state.wait_for(&promise);
        self.validations.borrow_mut().push((key, promise));
    }

    async fn ask_handler(&self, Handler { url, origin }: &Handler) -> Result<bool> {
        let policy = self.config.policy(&self.hub()?, HubSettings::default());
        let object = self.store()?.object();
        let keep = |delivery: &str| keep_delivery(object, delivery);
        let hub = policy.hub.as_str();
        let caller = Caller { env: &self.env, hub, calls: &Calls::new(), id: 0.0, keep: &keep };
        Ok(EventCall::handshake(now(), &policy, url, origin).make(&caller, None).await.is_ok())
    }
}

/// The hub whose directory an object is.
fn hub_of(state: &State, store: Option<&DirectoryStore<Sql>>) -> Result<HubName> {
    let name = match store {
        Some(store) => store.object().name().to_owned(),
        None => name_of(state).unwrap_or_default(),
    };
    HubName::parse(&name).map_err(Error::new)
}

/// A directory as it is stored.
fn load(config: &Config, state: &State, store: Option<&DirectoryStore<Sql>>) -> Result<Directory> {
    let mut facts = Fact::ALL.map(|_| None);
    if let Some(store) = store {
        for (fact, value) in Fact::ALL.iter().zip(&mut facts) {
            *value = store.fact(fact.name())?;
        }
    }
    let config = config.directory(hub_of(state, store).ok().as_ref());
    let (directory, error) = Directory::restore(config, facts.each_ref().map(Option::as_deref));
    if let Some(error) = error {
        log::failure("reading stored settings", &error);
    }
    Ok(directory)
}

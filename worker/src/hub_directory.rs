//! The Durable Object of one hub: its settings, how many shards it has, and what its event handlers
//! said in their handshakes. One more, the register, has the names of all hubs.
#![expect(missing_docs, clippy::missing_errors_doc, reason = "the platform calls the handlers")]

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_protocol::event_handler::validation::Validation;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::directory::Handler;
use webpubsub_service::{DirectoryCall, DirectoryDriver, DirectoryHost, ObjectResponse, ShardCall};
use webpubsub_store::ObjectStore;
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::event_handler::{Caller, Calls};
use crate::objects::ask_shards;
use crate::platform::{Error, Result, State, delete_alarm, now, object_name, set_alarm};
use crate::register::register;
use crate::sql::{Sql, keep_delivery};
use crate::task::{run, run_later, settled};
use crate::{config, http, log};

/// One hub.
#[wasm_bindgen]
pub struct HubDirectory {
    directory: Option<Rc<Directory>>,
}

type Directory = DirectoryDriver<Host>;

struct Host {
    state: State,
    env: Env,
    /// The validations of handlers that are under way.
    validations: RefCell<Vec<(Handler, Promise)>>,
}

#[wasm_bindgen]
impl HubDirectory {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let directory = start(state, env).inspect_err(|error| log::failure("starting a directory", error));
        Self { directory: directory.ok().map(Rc::new) }
    }

    pub fn fetch(&self, request: Request) -> std::result::Result<JsValue, JsValue> {
        let directory = self.directory.clone();
        run(async move {
            let answer = match directory {
                Some(directory) => answer(&directory, &request).await,
                None => http::text(500, ""),
            };
            Ok(answer?.into())
        })
    }

    pub fn alarm(&self) -> std::result::Result<JsValue, JsValue> {
        let directory = self.directory.clone();
        run(async move {
            if let Some(directory) = directory {
                directory.alarm().await?;
            }
            Ok(JsValue::UNDEFINED)
        })
    }
}

fn start(state: State, env: Env) -> Result<Directory> {
    let config = config::of(&env).map_err(Error::new)?;
    Directory::start(Host { state, env, validations: RefCell::default() }, config)
}

async fn answer(directory: &Rc<Directory>, request: &Request) -> Result<Response> {
    let url = request.url();
    let path = RequestUrl::split(&url).map_or("", |url| url.path);
    let body = http::body_text(request.text()).await?;
    match DirectoryCall::decode(path, &body) {
        Some(call) => http::object(directory.answer(call).await?.encode()),
        None => http::object(ObjectResponse::not_understood()),
    }
}

impl DirectoryHost for Host {
    type Database = Sql;

    fn now(&self) -> Timestamp {
        now()
    }

    fn database(&self) -> Sql {
        Sql(self.state.clone())
    }

    fn name(&self) -> Option<String> {
        object_name(&self.state)
    }

    fn set_alarm(&self, due: Option<Timestamp>) {
        match due {
            Some(due) => set_alarm(&self.state, due.as_millis() as f64),
            None => delete_alarm(&self.state),
        }
    }

    fn ask_shards(
        &self,
        names: Vec<String>,
        call: ShardCall,
    ) -> impl Future<Output = Result<Vec<Option<String>>>> {
        ask_shards(&self.env, names, call)
    }

    fn register(&self, object: &ObjectStore<Sql>, hub: &HubName) -> impl Future<Output = ()> {
        register(&self.env, object, hub)
    }

    /// The promise that is kept resolves with whether the handler wants events.
    fn begin_validation(directory: &Rc<Directory>, handler: Handler, known: Option<Validation>) {
        let (this, key) = (Rc::clone(directory), handler.clone());
        let promise = run_later(async move {
            let validated = validate(&this, handler.clone(), known).await;
            this.host().validations.borrow_mut().retain(|(other, _)| *other != handler);
            Ok(validated.map_or_else(
                |error| {
                    log::failure("keeping a handshake", &error);
                    JsValue::UNDEFINED
                },
                JsValue::from,
            ))
        });
        let Self { state, validations, .. } = directory.host();
        state.wait_for(&promise);
        validations.borrow_mut().push((key, promise));
    }

    async fn validation(&self, handler: &Handler) -> Result<bool> {
        let under_way = self.validations.borrow().iter().find(|(other, _)| other == handler).cloned();
        let allowed = match under_way {
            Some((_, promise)) => settled(promise).await?.as_bool(),
            None => None,
        };
        allowed.ok_or_else(|| Error::new("a validation failed"))
    }
}

async fn validate(directory: &Rc<Directory>, handler: Handler, known: Option<Validation>) -> Result<bool> {
    let object = directory.store()?.object();
    let keep = |delivery: &str| keep_delivery(object, delivery);
    let (env, hub) = (&directory.host().env, object.name());
    let caller = Caller { env, hub, calls: &Calls::new(), id: 0.0, keep: &keep };
    directory.validate(&caller, handler, known).await
}

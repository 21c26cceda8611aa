//! The Durable Object of one hub: its settings, how many shards it has, and what its event handlers
//! said in their handshakes. One more, the register, has the names of all hubs.
#![expect(missing_docs, clippy::missing_errors_doc, reason = "the platform calls the handlers")]

use std::future::Future;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_service::{DirectoryCall, DirectoryDriver, DirectoryHost, ObjectResponse};
use worker::Env;

use crate::event_handler::Caller;
use crate::objects::Objects;
use crate::platform::{Error, Result, State, delete_alarm, now, object_name, set_alarm};
use crate::promise::{run, run_later, settled};
use crate::sql::Sql;
use crate::{config, log};

/// One hub.
#[wasm_bindgen]
pub struct HubDirectory {
    directory: Option<Rc<Directory>>,
}

type Directory = DirectoryDriver<Host>;

struct Host {
    state: State,
    objects: Objects,
}

#[wasm_bindgen]
impl HubDirectory {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let directory = start(state, env).inspect_err(|error| log::failure("starting a directory", error));
        Self { directory: directory.ok().map(Rc::new) }
    }

    pub fn ask(&self, path: &str, body: &str, _is_offer: bool) -> std::result::Result<JsValue, JsValue> {
        let (directory, call) = (self.directory.clone(), DirectoryCall::decode(path, body));
        run(async move {
            let answer = match (directory, call) {
                (Some(directory), Some(call)) => directory.answer(call).await?.encode(),
                (Some(_), None) => ObjectResponse::not_understood(),
                (None, _) => ObjectResponse::not_started(),
            };
            Ok(answer.into_text().into())
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
    let config = config::of(&env)?;
    Directory::start(Host { state, objects: Objects(env) }, config)
}

impl DirectoryHost for Host {
    type Database = Sql;
    type Objects = Objects;
    type Events<'a> = Caller<'a>;
    type Task = Promise;

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

    fn objects(&self) -> Result<&Objects> {
        // Nothing leaves the object before what was written ahead of it is on disk.
        Ok(&self.objects)
    }

    fn events<'a>(&'a self, hub: &'a HubName) -> Caller<'a> {
        Caller::new(&self.objects.0, hub)
    }

    fn start(&self, task: impl Future<Output = Option<bool>> + 'static) -> Promise {
        let promise = run_later(async { Ok(task.await.map_or(JsValue::UNDEFINED, JsValue::from)) });
        self.state.wait_for(&promise);
        promise
    }

    async fn outcome(task: Promise) -> Option<bool> {
        settled(task).await.ok()?.as_bool()
    }

    fn log_failure(&self, what: &str, error: &Error) {
        log::failure(what, error);
    }
}

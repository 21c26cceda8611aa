//! The Durable Object of one shard: its handlers, each one input to the shard.
#![expect(missing_docs, clippy::missing_errors_doc, reason = "the platform calls the handlers")]

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_protocol::client::{Frame, json};
use webpubsub_protocol::close::{CloseCode, fit_reason};
use webpubsub_protocol::rest::{self, Refusal};
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::gateway::GatewayError;
use webpubsub_service::{
    Answered, Holder, ObjectResponse, Offered, ShardCall, TaskHead, TaskRequest, encode_answer, introduce,
    restore_shard,
};
use webpubsub_shard::{Command, Driver, Input, Reply, Slot, Sockets as SocketLife, WatcherId};
use worker::Env;
use worker::web_sys::{Response, WebSocket};

use crate::event_handler::Calls;
use crate::objects::Objects;
use crate::platform::{Error, Result, State, Timer, WebSocketPair, answer_pings, now, open_web_sockets};
use crate::promise::{run, settled};
use crate::route::{Body, Parts};
use crate::shard_host::ShardHost;
use crate::sockets::{Sockets, close_socket, read_attachment};
use crate::sql::open_shard;
use crate::turns::Turns;
use crate::{config, http, log};

/// One shard of a hub.
#[wasm_bindgen]
pub struct HubShard {
    shard: Option<Rc<ShardHost>>,
}

#[wasm_bindgen]
impl HubShard {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let shard = ShardHost::start(state, env);
        Self { shard: shard.inspect_err(|error| log::failure("starting a shard", error)).ok() }
    }

    /// The platform has said, before anything else, when its alarm fires, in milliseconds since the Unix epoch.
    #[wasm_bindgen(js_name = foundAlarm)]
    pub fn found_alarm(&self, due: f64) {
        if let Some(shard) = &self.shard {
            shard.driver.borrow_mut().found_alarm(now(), Timestamp::from_millis(due as u64));
        }
    }

    /// Carries a request of the REST API out.
    pub fn serve(&self, head: String, body: Vec<u8>) -> std::result::Result<JsValue, JsValue> {
        let (shard, head) = (self.caught_up(), TaskHead(head));
        run(async move {
            let (method, url) = head.asked().unwrap_or_default();
            Ok(match shard {
                Some(shard) => shard.operation(method, url, &head, body).await?,
                None => encode_answer(rest::refuse(&Refusal::Internal, method)),
            }
            .into())
        })
    }

    /// Answers a call: with a response, which may carry a socket, if it is an offer, and otherwise with a text.
    pub fn ask(&self, path: &str, body: &str, is_offer: bool) -> std::result::Result<JsValue, JsValue> {
        let (shard, call) = (self.caught_up(), ShardCall::decode(path, body));
        run(async move {
            let answer = match (shard, call) {
                (Some(shard), Some(call)) => shard.answer(call).await?,
                (Some(_), None) => Err(ObjectResponse::not_understood()),
                (None, _) => Err(ObjectResponse::not_started()),
            };
            Ok(match answer {
                Ok(accepted) => accepted.into(),
                Err(ObjectResponse { status, body }) if is_offer => http::text(status, &body)?.into(),
                Err(answer) => answer.into_text().into(),
            })
        })
    }

    #[wasm_bindgen(js_name = webSocketText)]
    pub fn websocket_text(&self, socket: &WebSocket, text: String) -> Result<()> {
        self.receive(socket, Frame::Text(text))
    }

    /// Receives a binary frame, or the UTF-8 of a text.
    #[wasm_bindgen(js_name = webSocketBytes)]
    pub fn websocket_bytes(&self, socket: &WebSocket, bytes: Vec<u8>, is_text: bool) -> Result<()> {
        let frame = if is_text {
            Frame::Text(String::from_utf8(bytes).map_err(|_| Error::NotUtf8)?)
        } else {
            Frame::Binary(bytes)
        };
        self.receive(socket, frame)
    }

    fn receive(&self, socket: &WebSocket, frame: Frame) -> Result<()> {
        if let Some((shard, from)) = self.known(socket) {
            shard.step(Input::Frame { from, frame }, None)?;
        }
        Ok(())
    }

    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn websocket_close(&self, socket: &WebSocket, code: u16, reason: &str) -> Result<()> {
        // The platform leaves it to us to answer a close frame (and throws at codes that cannot be
        // sent, which `echo` replaces).
        let code = CloseCode(code);
        let (echo, words) = (code.echo().0, fit_reason(reason));
        let Some((shard, slot)) = self.known(socket) else {
            self.unwatch(socket);
            close_socket(socket, echo, words);
            return Ok(());
        };
        // The client may yet be answered what it sent before.
        shard.sockets.answer_close(slot.0, echo, words);
        shard.step(Input::Closed { slot, code, reason: reason.to_owned() }, None).map(drop)
    }

    #[wasm_bindgen(js_name = webSocketError)]
    pub fn websocket_error(&self, socket: &WebSocket) -> Result<()> {
        match self.known(socket) {
            Some((shard, slot)) => drop(shard.step(Input::Broken { slot, cause: None }, None)?),
            None => self.unwatch(socket),
        }
        Ok(())
    }

    pub fn alarm(&self) -> Result<()> {
        if let Some(shard) = &self.shard {
            shard.driver.borrow_mut().alarm_fired();
            shard.step(Input::Timeout, None)?;
        }
        Ok(())
    }
}

impl HubShard {
    /// The shard with its alarm set, for every event but the alarm itself.
    fn awake(&self) -> Option<&Rc<ShardHost>> {
        let shard = self.shard.as_ref()?;
        let _ = shard.drive(None, |driver, host| {
            driver.keep_alarm(host);
            Ok(())
        });
        Some(shard)
    }

    /// The shard once it has carried out what has arrived before, so that a request finds it done.
    fn caught_up(&self) -> Option<Rc<ShardHost>> {
        let shard = self.awake()?;
        // A failure has ended the object.
        let _ = shard.drive(None, Driver::catch_up);
        Some(Rc::clone(shard))
    }

    /// Forgets the socket of an operator who watches no more.
    fn unwatch(&self, socket: &WebSocket) {
        if let Some(shard) = &self.shard
            && let Some(watcher) = shard.watchers.slot(socket)
        {
            shard.driver.borrow_mut().shard.unwatch(WatcherId(watcher));
            shard.watchers.forget(watcher);
        }
    }

    /// The slot of a socket that the shard knows.
    fn known(&self, socket: &WebSocket) -> Option<(&Rc<ShardHost>, Slot)> {
        let shard = self.awake()?;
        Some((shard, Slot(shard.sockets.slot(socket)?)))
    }
}

impl ShardHost {
    /// Puts the shard together from its tables and its open sockets: at its first start, and after
    /// every hibernation.
    ///
    /// The alarm is not touched: where it is what started the object, the platform would take a
    /// later one as that alarm's cancellation, and never have it handled.
    fn start(state: State, env: Env) -> Result<Rc<Self>> {
        let config = config::of(&env)?;
        let store = open_shard(&state)?;

        // An idle client's keep-alive is answered by the platform and wakes no shard.
        answer_pings(&state, json::PING, json::PONG);

        let (sockets, watchers) = (Sockets::new(), Sockets::new());
        let open = open_web_sockets(&state);
        let attachments: Vec<_> = open.iter().map(read_attachment).collect();
        let restored = restore_shard(now(), &config, &store, SocketLife::OutliveMemory, &attachments)?;
        for (socket, holder) in open.iter().zip(restored.holders) {
            match holder {
                Some(Holder::Client(slot)) => sockets.put(slot.0, socket),
                Some(Holder::Watcher(watcher)) => watchers.put(watcher.0, socket),
                None => close_socket(socket, CloseCode::INTERNAL_ERROR.0, ""),
            }
        }
        let driver = RefCell::new(Driver::new(restored.shard));
        let is_known = Cell::new(store.object().is_registered()?);
        let shard = Rc::new_cyclic(|this| {
            let this: Weak<Self> = Weak::clone(this);
            let turn = move || {
                if let Some(shard) = this.upgrade() {
                    let _ = shard.drive(None, Driver::turn);
                }
            };
            Self {
                turns: Turns::new(&state, turn),
                state,
                objects: Objects(env),
                config,
                hub_name: restored.hub,
                driver,
                sockets,
                watchers,
                store,
                calls: Calls::new(),
                timer: Timer::new(),
                is_known,
            }
        });
        shard.drive(None, |driver, host| driver.perform(host, restored.outputs))?;
        if !shard.is_known.get() {
            let this = Rc::clone(&shard);
            shard.state.wait_until(async move {
                if let Err(error) = this.introduce().await {
                    log::failure("asking a hub's directory", &error);
                }
            });
        }
        Ok(shard)
    }

    /// Answers a call: with the socket that it is to have, or else with what the shard says.
    async fn answer(
        self: &Rc<Self>,
        call: ShardCall,
    ) -> Result<std::result::Result<Response, ObjectResponse>> {
        if matches!(call, ShardCall::Connect(_)) {
            self.introduce().await?;
        }
        if call.shares_commit() {
            settled(self.turns.next()).await?;
        }
        let is_counted = matches!(&call, ShardCall::Connect(client) if client.is_counted);
        let pair = call.brings_socket().then(WebSocketPair::new);
        let socket = pair.as_ref().map(WebSocketPair::server);
        let answer = match (self.ask(socket.as_ref(), |mut shard| shard.answer(call))?, pair) {
            (Answered::Socket(subprotocol), Some(pair)) => {
                http::switch_protocols(&pair.client(), subprotocol.as_deref())?
            }
            (Answered::Socket(_), None) => return Ok(Err(ObjectResponse::not_understood())),
            (Answered::Answer(answer), _) if !is_counted => return Ok(Err(answer.encode())),
            (Answered::Answer(answer), _) => {
                let ObjectResponse { status, body } = answer.encode();
                http::text(status, &body)?
            }
        };
        if is_counted {
            let connections = self.driver.borrow().shard.connections();
            answer.headers().set(Offered::CONNECTIONS, &connections.to_string())?;
        }
        Ok(Ok(answer))
    }

    /// Asks the hub's directory, once in a life, for what it sent the others before there was this
    /// one, and has the register know the hub.
    async fn introduce(self: &Rc<Self>) -> Result<()> {
        if self.is_known.get() {
            return Ok(());
        }
        let found = introduce(&self.objects, &self.hub_name).await.ok_or(GatewayError::NoView)?;
        if self.ask(None, |mut shard| shard.introduced(found))? {
            self.is_known.set(true);
        }
        Ok(())
    }

    /// Carries out one call of the REST API, whose caller the Worker has authorised for exactly
    /// this URL, here and on the shards behind this one.
    async fn operation(
        self: &Rc<Self>,
        method: &str,
        url: RequestUrl<'_>,
        head: &TaskHead,
        body: Vec<u8>,
    ) -> Result<String> {
        let request = match TaskRequest::read(method, url) {
            Ok(request) => request,
            Err(refusal) => return Ok(encode_answer(rest::refuse(&refusal, method))),
        };
        let number = self.driver.borrow().shard.id();
        // Those behind this one read the body, too.
        let again = if request.behind(number).is_some() { body.clone() } else { Vec::new() };
        let reply = match head.command(&request.task.work, body, &http::text_in_charset) {
            Ok(command) => self.command(command).await?.ok_or(Refusal::Internal),
            Err(refusal) => Err(refusal),
        };
        let host = Parts { env: &self.objects.0, head, body: Body::Read(&again) };
        request.answer(&host, (&self.hub_name, number), method, reply).await
    }

    /// Carries out a command, in one commit with others where it has to wait for one.
    async fn command(self: &Rc<Self>, command: Command) -> Result<Option<Reply>> {
        if self.driver.borrow().shard.shares_commit(&command) {
            settled(self.turns.next()).await?;
        }
        Ok(self.step(Input::Command(command), None)?.reply)
    }
}

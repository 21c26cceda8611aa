//! The Durable Object of one shard: its handlers, each one input to the shard.
#![expect(missing_docs, clippy::missing_errors_doc, reason = "the platform calls the handlers")]

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::ArrayBuffer;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_auth::read_continuation;
use webpubsub_protocol::client::{Frame, json};
use webpubsub_protocol::close::{CloseCode, fit_reason};
use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::rest::{self, PageRequest, Refusal};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::gateway::Incoming;
use webpubsub_service::{
    AdmittedClient, ObjectResponse, Offered, Part, ShardAnswer, ShardCall, ShardTask, TraceRequest, Work,
    parse_object_name,
};
use webpubsub_shard::{Attachment, Command, Driver, Full, Input, Reply, Shard, Slot, WatcherId};
use worker::Env;
use worker::web_sys::{Request, Response, WebSocket};

use crate::event_handler::Calls;
use crate::http::Head;
use crate::objects::{ask_view, client_of};
use crate::platform::{Error, Result, State, Timer, WebSocketPair, answer_pings, now, open_web_sockets};
use crate::register::register;
use crate::route::Shards;
use crate::shard_host::ShardHost;
use crate::sockets::{Sockets, close_socket, read_attachment};
use crate::sql::open_shard;
use crate::task::{run, settled};
use crate::turns::Turns;
use crate::{config, http, log};

/// One shard of a hub.
#[wasm_bindgen]
pub struct HubShard {
    shard: std::result::Result<Rc<ShardHost>, String>,
}

#[wasm_bindgen]
impl HubShard {
    #[wasm_bindgen(constructor)]
    pub fn new(state: State, env: Env) -> Self {
        let shard = ShardHost::start(state, env).map_err(|error| {
            log::failure("starting a shard", &error);
            error.to_string()
        });
        Self { shard }
    }

    pub fn fetch(
        &self,
        request: Request,
        body: Option<ArrayBuffer>,
    ) -> std::result::Result<JsValue, JsValue> {
        let shard = self.awake().map(Rc::clone);
        if let Some(shard) = &shard {
            shard.catch_up();
        }
        run(async move {
            let answer = match shard {
                Some(shard) => shard.fetch(&request, body).await,
                None => http::rest(rest::refuse(&Refusal::Internal, &request.method())),
            };
            Ok(answer?.into())
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
            Frame::Text(String::from_utf8(bytes).map_err(|_| Error::new("a text that is not UTF-8"))?)
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
            Some((shard, slot)) => drop(shard.step(Input::Broken { slot }, None)?),
            None => self.unwatch(socket),
        }
        Ok(())
    }

    pub fn alarm(&self) -> Result<()> {
        if let Ok(shard) = &self.shard {
            shard.driver.borrow_mut().alarm_fired();
            shard.step(Input::Timeout, None)?;
        }
        Ok(())
    }
}

impl HubShard {
    /// The shard with its alarm set, for every event but the alarm itself.
    fn awake(&self) -> Option<&Rc<ShardHost>> {
        let shard = self.shard.as_ref().ok()?;
        shard.keep_alarm();
        Some(shard)
    }

    /// Forgets the socket of an operator who watches no more.
    fn unwatch(&self, socket: &WebSocket) {
        if let Ok(shard) = &self.shard
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

/// What an operator watches over a socket; `None` for a client's.
fn watched_by(socket: &WebSocket) -> Option<TraceRequest> {
    TraceRequest::of_attachment(&read_attachment(socket)?)
}

impl ShardHost {
    /// Puts the shard together from its tables and its open sockets: at its first start, and after
    /// every hibernation.
    ///
    /// The alarm is not touched: where it is what started the object, the platform would take a
    /// later one as that alarm's cancellation, and never have it handled.
    fn start(state: State, env: Env) -> Result<Rc<Self>> {
        let config = config::of(&env).map_err(Error::new)?;
        let store = open_shard(&state)?;
        let (hub_name, number) = parse_object_name(store.object().name())
            .ok_or_else(|| Error::new("the object has no shard's name"))?;
        let shard_config = config.shard_config(&hub_name, number);

        // An idle client's keep-alive is answered by the platform and wakes no shard.
        answer_pings(&state, json::PING, json::PONG);

        let (sockets, watchers) = (Sockets::new(), Sockets::new());
        let mut open = open_web_sockets(&state);
        let watching = open.extract_if(.., |socket| watched_by(socket).is_some());
        let watching: Vec<WebSocket> = watching.collect();
        let attachments = open.iter().map(|socket| Attachment::decode(&read_attachment(socket)?)).collect();
        let policy = config.policy(&hub_name, config.settings.of(&hub_name));
        let mut restored = Shard::restore(now(), shard_config, policy, store.load()?, attachments);
        for (socket, slot) in open.iter().zip(&restored.slots) {
            match slot {
                Some(slot) => sockets.put(slot.0, socket),
                None => close_socket(socket, CloseCode::INTERNAL_ERROR.0, ""),
            }
        }
        for socket in &watching {
            match watched_by(socket).and_then(|request| restored.shard.watch(request.filter)) {
                Some(watcher) => watchers.put(watcher.0, socket),
                None => close_socket(socket, CloseCode::INTERNAL_ERROR.0, ""),
            }
        }
        let driver = RefCell::new(Driver::new(restored.shard));
        let is_known = Cell::new(store.object().is_registered()?);
        let shard = Rc::new_cyclic(|this| {
            let this: Weak<Self> = Weak::clone(this);
            let turn = move || {
                if let Some(shard) = this.upgrade() {
                    shard.turn();
                }
            };
            Self {
                turns: Turns::new(&state, turn),
                state,
                env,
                config,
                hub_name,
                number,
                driver,
                sockets,
                watchers,
                store,
                calls: Calls::new(),
                timer: Timer::new(),
                is_known,
            }
        });
        shard.perform(restored.outputs)?;
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

    /// Answers a request; its body is given where the entry has read it.
    async fn fetch(self: &Rc<Self>, request: &Request, body: Option<ArrayBuffer>) -> Result<Response> {
        let head = Head::of(request);
        let Some(Incoming { method, url, .. }) = head.incoming() else { return http::text(400, "") };
        if !ShardCall::has_path(url.path) {
            let answer = self.operation(method, url, request, body).await?;
            // The Worker has forwarded the body, too.
            return http::answer_after_body(request, answer).await;
        }
        let body = if method == "POST" { http::body_text(request.text()).await? } else { client_of(request) };
        match ShardCall::decode(url.path, &body) {
            Some(call) => self.answer(call).await,
            None => http::object(ObjectResponse::not_understood()),
        }
    }

    async fn answer(self: &Rc<Self>, call: ShardCall) -> Result<Response> {
        let answer = match call {
            ShardCall::Connect(client) => return self.connect(*client).await,
            ShardCall::Watch(query) => return self.watch(&query),
            ShardCall::Recover(connection, token) => return self.recover(connection, token),
            ShardCall::Room => {
                let full = self.driver.borrow().shard.full();
                ShardAnswer::Offered(full.map_or(Offered::Accepted, Offered::Full))
            }
            ShardCall::Batch(batch) => {
                settled(self.turns.next()).await?;
                self.step(Input::Batch(batch), None)?;
                ShardAnswer::Taken
            }
            ShardCall::View(view) => {
                self.take(view)?;
                ShardAnswer::Load(self.driver.borrow().shard.load() as u64)
            }
            ShardCall::GoAway => {
                self.step(Input::GoAway, None)?;
                ShardAnswer::Taken
            }
            ShardCall::Deliveries => ShardAnswer::Text(self.store.object().deliveries()?),
            ShardCall::Metrics => {
                self.step(Input::Measure, None)?;
                ShardAnswer::Text(self.metrics())
            }
            ShardCall::List(listing) => ShardAnswer::Text(listing.answer(&self.driver.borrow().shard)),
        };
        http::object(answer.encode())
    }

    /// Accepts the socket of a client that the Worker has admitted.
    async fn connect(self: &Rc<Self>, client: AdmittedClient) -> Result<Response> {
        self.introduce().await?;
        let AdmittedClient { connection, reconnection_token, request, subprotocol, is_counted } = client;
        let input = Input::Connect { connection, request, reconnection_token };
        if self.driver.borrow().shard.shares_commit(&input) {
            settled(self.turns.next()).await?;
        }
        let pair = WebSocketPair::new();
        let answer = match self.step(input, Some(&pair.server()))?.refused {
            Some(full) => http::object(ShardAnswer::Offered(Offered::Full(full)).encode())?,
            None => http::switch_protocols(&pair.client(), subprotocol.as_deref())?,
        };
        if is_counted {
            let connections = self.driver.borrow().shard.connections();
            answer.headers().set(Offered::CONNECTIONS, &connections.to_string())?;
        }
        Ok(answer)
    }

    /// Accepts the socket of an operator who watches.
    fn watch(&self, query: &str) -> Result<Response> {
        let Ok(request) = TraceRequest::parse(query) else {
            return http::object(ObjectResponse::not_understood());
        };
        let shard = &mut self.driver.borrow_mut().shard;
        let Some(watcher) = shard.watch(request.filter) else {
            return http::object(ShardAnswer::Offered(Offered::Full(Full::Quota)).encode());
        };
        let pair = WebSocketPair::new();
        let socket = pair.server();
        if let Err(thrown) = self.state.accept_web_socket(&socket) {
            shard.unwatch(watcher);
            return Err(thrown.into());
        }
        self.watchers.put(watcher.0, &socket);
        self.watchers.attach(watcher.0, &TraceRequest::attachment(query))?;
        let _ = self.watchers.send_text(&[watcher.0], &TraceRequest::greeting(&self.hub_name, shard));
        http::switch_protocols(&pair.client(), None)
    }

    /// Accepts the new socket of a client that the Worker has seen the reconnection token of.
    fn recover(self: &Rc<Self>, connection: ConnectionId, reconnection_token: String) -> Result<Response> {
        let input = Input::Recover { connection, reconnection_token };
        let pair = WebSocketPair::new();
        match self.step(input, Some(&pair.server()))?.accepted {
            // Whatever the client offers this time.
            Some(subprotocol) => http::switch_protocols(&pair.client(), subprotocol.name()),
            None => http::object(ShardAnswer::Offered(Offered::NotRecoverable).encode()),
        }
    }

    /// Asks the hub's directory, once in a life, for what it sent the others before there was this
    /// one, and has the register know the hub.
    async fn introduce(self: &Rc<Self>) -> Result<()> {
        if self.is_known.get() {
            return Ok(());
        }
        self.take(ask_view(&self.env, &self.hub_name).await?)?;
        register(&self.env, self.store.object(), &self.hub_name).await;
        self.is_known.set(self.store.object().is_registered()?);
        Ok(())
    }

    /// The values of [`webpubsub_shard::METRICS`], with commas between.
    fn metrics(&self) -> String {
        self.driver.borrow().shard.metrics().map(|value| value.to_string()).join(",")
    }

    /// Carries out one call of the REST API, whose caller the Worker has authorised for exactly
    /// this URL, here and on the shards behind this one.
    async fn operation(
        self: &Rc<Self>,
        method: &str,
        url: RequestUrl<'_>,
        request: &Request,
        body: Option<ArrayBuffer>,
    ) -> Result<Response> {
        let ShardTask { task, url, among } = match ShardTask::read(method, url) {
            Ok(task) => task,
            Err(refusal) => return http::rest(rest::refuse(&refusal, method)),
        };
        let behind = among.map(|range| range.behind(self.number)).filter(|behind| !behind.is_empty());
        // Its body is read twice.
        let behind = behind.map(|range| request.clone().map(|request| (range, request))).transpose()?;
        let reply = match self.read(&task.work, request, body).await? {
            Ok(command) => self.command(command).await?.ok_or(Refusal::Internal),
            Err(refusal) => Err(refusal),
        };
        let mut part = match reply {
            Ok(reply) => Part::Replied(reply),
            Err(refusal) => Part::Refused(http::rest(rest::refuse(&refusal, method))?),
        };
        if let Some((range, request)) = behind {
            let shards = Shards { env: &self.env, hub: &self.hub_name, range };
            let asked = Incoming { method, url, authorization: "" };
            part = shards.gather(&task, &request, asked, vec![part]).await?;
        }
        match part {
            Part::Replied(reply) if among.is_some() => http::rest(task.respond_in_part(reply)),
            Part::Replied(reply) => http::rest(task.respond(reply)),
            Part::Refused(response) => Ok(response),
        }
    }

    /// Carries out a command, in one commit with others where it has to wait for one.
    async fn command(self: &Rc<Self>, command: Command) -> Result<Option<Reply>> {
        let input = Input::Command(command);
        if self.driver.borrow().shard.shares_commit(&input) {
            settled(self.turns.next()).await?;
        }
        Ok(self.step(input, None)?.reply)
    }

    /// The command that a task comes to, with what of it is in the request's body.
    async fn read(
        &self,
        work: &Work,
        request: &Request,
        body: Option<ArrayBuffer>,
    ) -> Result<std::result::Result<Command, Refusal>> {
        let many = match work {
            Work::Command(command) => return Ok(Ok(command.clone())),
            Work::Deliver { to, ttl } => {
                let (to, ttl) = (to.clone(), *ttl);
                let message = http::message(request, body).await?;
                return Ok(message.map(|(data, metadata)| Command::Send { to, data, metadata, ttl }));
            }
            Work::List { group, page } => return Ok(Self::list(group, page)),
            Work::JoinMany => Work::join_many,
            Work::LeaveMany => Work::leave_many,
        };
        let content_type = request.headers().get("Content-Type")?;
        let body = match http::message_body(request, body).await? {
            Ok(body) => http::take_bytes(&body),
            Err(refusal) => return Ok(Err(refusal)),
        };
        Ok(rest::groups_body(content_type.as_deref(), &body).map(many))
    }

    /// The first members of a page that this shard has.
    fn list(group: &GroupName, page: &PageRequest) -> std::result::Result<Command, Refusal> {
        let token = page.continuation_token.as_deref();
        // The gateway has verified it.
        let after = token.map(read_continuation).transpose().map_err(|_| Refusal::ContinuationToken)?;
        Ok(Command::Members { group: group.clone(), after, limit: page.wanted() })
    }
}

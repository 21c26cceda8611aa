//! The Durable Object of one shard: its handlers, each one input to the shard.
#![expect(missing_docs, clippy::missing_errors_doc, reason = "the platform calls the handlers")]

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::ArrayBuffer;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use webpubsub_auth::verify_continuation;
use webpubsub_protocol::client::Frame;
use webpubsub_protocol::close::{CloseCode, fit_reason};
use webpubsub_protocol::name::{ConnectionId, GroupName};
use webpubsub_protocol::rest::{self, MemberPage, Outcome, PageRequest, Refusal, Route};
use webpubsub_protocol::url::RequestUrl;
use webpubsub_service::connect::full_status;
use webpubsub_service::{Assignment, HubView, ShardRange, Work, parse_object_name};
use webpubsub_shard::{Attachment, Batch, Command, ConnectRequest, Driver, Input, Reply, Shard, Slot};
use worker::Env;
use worker::web_sys::{Request, Response, WebSocket};

use crate::directory_paths::TAKEN;
use crate::event_handler::Calls;
use crate::http::{Asked, Head};
use crate::objects::client_of;
use crate::platform::{Error, Result, State, Timer, WebSocketPair, answer_pings, now, open_web_sockets};
use crate::register::register;
use crate::route::Shards;
use crate::shard_host::ShardHost;
use crate::sockets::{Sockets, close_socket, read_attachment};
use crate::sql::open_shard;
use crate::task::{run, settled};
use crate::turns::Turns;
use crate::{config, http, log, shard_paths, view};

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
            Frame::Text(String::from_utf8(bytes).map_err(Error::new)?)
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
            close_socket(socket, echo, words);
            return Ok(());
        };
        // The client may yet be answered what it sent before.
        shard.sockets.answer_close(slot.0, echo, words);
        shard.step(Input::Closed { slot, code, reason: reason.to_owned() }, None).map(drop)
    }

    #[wasm_bindgen(js_name = webSocketError)]
    pub fn websocket_error(&self, socket: &WebSocket) -> Result<()> {
        if let Some((shard, slot)) = self.known(socket) {
            shard.step(Input::Broken { slot }, None)?;
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
        let config = config::of(&env).map_err(Error::new)?;
        let store = open_shard(&state)?;
        let (hub_name, number) = parse_object_name(store.object().name())
            .ok_or_else(|| Error::new("the object has no shard's name"))?;
        let shard_config = config.shard_config(&hub_name, number);

        // An idle client's keep-alive is answered by the platform and wakes no shard.
        answer_pings(&state, r#"{"type":"ping"}"#, r#"{"type":"pong"}"#);

        let sockets = Sockets::new();
        let open = open_web_sockets(&state);
        let attachments = open.iter().map(|socket| Attachment::decode(&read_attachment(socket)?)).collect();
        let policy = config.policy(&hub_name, config.settings.of(&hub_name));
        let restored = Shard::restore(now(), shard_config, policy, store.load()?, attachments);
        for (socket, slot) in open.iter().zip(&restored.slots) {
            match slot {
                Some(slot) => sockets.put(slot.0, socket),
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
        let Some(Asked { method, url, .. }) = head.asked(request) else { return http::text(400, "") };
        match url.path {
            shard_paths::CONNECT => self.connect(request).await,
            shard_paths::CONNECT_COUNTED => {
                let answer = self.connect(request).await?;
                let connections = self.driver.borrow().shard.connections();
                answer.headers().set(shard_paths::CONNECTIONS, &connections.to_string())?;
                Ok(answer)
            }
            shard_paths::ROOM => http::text(self.driver.borrow().shard.full().map_or(204, full_status), ""),
            shard_paths::RECOVER => self.recover(request),
            shard_paths::BATCH => self.batch(request).await,
            shard_paths::VIEW => self.view(request).await,
            shard_paths::GO_AWAY => {
                self.step(Input::GoAway, None)?;
                http::text(200, TAKEN)
            }
            shard_paths::DELIVERIES => http::text(200, &self.store.object().deliveries()?),
            shard_paths::METRICS => {
                self.step(Input::Measure, None)?;
                http::text(200, &self.metrics())
            }
            // The Worker has forwarded the body, too.
            _ => http::answer_after_body(request, self.operation(method, url, request, body).await?).await,
        }
    }

    /// Accepts the socket of a client that the Worker has admitted.
    async fn connect(self: &Rc<Self>, request: &Request) -> Result<Response> {
        self.introduce().await?;
        let client = client_of(request);
        let mut parts = client.splitn(4, ' ');
        let connection = parts.next().and_then(|id| ConnectionId::parse(id).ok());
        let token = parts.next().filter(|token| !token.is_empty());
        let admission = parts.next().and_then(|text| ConnectRequest::decode(text).ok());
        let (Some(admission), Some(connection)) = (admission, connection) else {
            return http::text(400, "Not an admission.");
        };
        let reconnection_token = token.map(str::to_owned);
        let input = Input::Connect { connection, request: admission, reconnection_token };
        if self.driver.borrow().shard.shares_commit(&input) {
            settled(self.turns.next()).await?;
        }
        let pair = WebSocketPair::new();
        match self.step(input, Some(&pair.server()))?.refused {
            Some(full) => http::text(full_status(full), ""),
            None => http::switch_protocols(&pair.client(), parts.next().filter(|name| !name.is_empty())),
        }
    }

    /// Accepts the new socket of a client that the Worker has seen the reconnection token of. 404 for
    /// a connection that cannot be recovered.
    fn recover(self: &Rc<Self>, request: &Request) -> Result<Response> {
        let Ok(connection) = ConnectionId::parse(client_of(request)) else {
            return http::text(400, "Not a recovery.");
        };
        let pair = WebSocketPair::new();
        match self.step(Input::Recover { connection }, Some(&pair.server()))?.accepted {
            // Whatever the client offers this time.
            Some(subprotocol) => http::switch_protocols(&pair.client(), subprotocol.name()),
            None => http::text(404, ""),
        }
    }

    /// Takes what clients of another shard published.
    async fn batch(self: &Rc<Self>, request: &Request) -> Result<Response> {
        let Ok(batch) = Batch::decode(&http::body_text(request.text()).await?) else {
            return http::text(400, "Not a batch.");
        };
        settled(self.turns.next()).await?;
        self.step(Input::Batch(batch), None)?;
        http::text(204, "")
    }

    /// Takes the hub's shards and settings; answers with how much this one has to do.
    async fn view(self: &Rc<Self>, request: &Request) -> Result<Response> {
        let Some(view) = HubView::decode(&http::body_text(request.text()).await?) else {
            return http::text(400, "Not a view.");
        };
        self.take(view)?;
        http::text(200, &self.driver.borrow().shard.load().to_string())
    }

    /// Asks the hub's directory, once in a life, for what it sent the others before there was this
    /// one, and has the register know the hub.
    async fn introduce(self: &Rc<Self>) -> Result<()> {
        if self.is_known.get() {
            return Ok(());
        }
        self.take(view::ask(&self.env, &self.hub_name).await?)?;
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
        let (behind, path) = match ShardRange::of_address(url.path) {
            Some((range, path)) => (Some((range.behind(self.number), request.clone()?)), path),
            None => (None, url.path),
        };
        let url = RequestUrl { path, ..url };
        let operation = Route::find(method, path).and_then(|route| route.operation(url.query));
        let task = match operation.map(Assignment::of) {
            Ok(Assignment::Shards { task, .. }) => task,
            Ok(_) => return http::rest(rest::refuse(&Refusal::UnknownPath, method)),
            Err(refusal) => return http::rest(rest::refuse(&refusal, method)),
        };
        let reply = match self.read(&task.work, request, body).await? {
            Ok(command) => self.command(command).await?.ok_or(Refusal::Internal),
            Err(refusal) => Err(refusal),
        };
        let response = match reply {
            Ok(Reply::Members(members)) => {
                rest::respond(Outcome::Members(MemberPage { members, next_link: None }))
            }
            Ok(reply) => rest::respond(task.outcome(&reply)),
            Err(refusal) => rest::refuse(&refusal, method),
        };
        let answer = http::rest(response)?;
        match behind {
            Some((range, request)) => {
                let shards = Shards { env: &self.env, hub: &self.hub_name, range };
                let asked = Asked { request: &request, method, url, authorization: "" };
                shards.gather(&task, asked, vec![answer]).await
            }
            None => Ok(answer),
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
            Work::List { group, page } => return Ok(self.list(group, page)),
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
    fn list(&self, group: &GroupName, page: &PageRequest) -> std::result::Result<Command, Refusal> {
        let token = page.continuation_token.as_deref();
        let after = token.map(|token| verify_continuation(&self.config.keys, &self.hub_name, group, token));
        let after = after.transpose().map_err(|_| Refusal::ContinuationToken)?;
        Ok(Command::Members { group: group.clone(), after, limit: page.wanted() })
    }
}

//! What a host does with a request from outside, over what the host can do: [`Host`].
//!
//! ```text
//!   Gateway::answer ──┬── /api/         rest         one shard: Forward; several: their parts, gathered
//!                     ├── /management/  management
//!                     ├── a client's    client       views ── placing ── handler ── offer
//!                     └── anything else File, or 404
//! ```

mod client;
mod keys;
mod management;
mod rest;
mod session;
mod views;

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use webpubsub_auth::{Hosts, PublicOrigin, ServiceAudience, TokenError, bearer, verify_service};
use webpubsub_protocol::client::endpoint::{ClientEndpoint, EndpointError};
use webpubsub_protocol::close::CloseCause;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{Refusal, Response, refuse};
use webpubsub_protocol::time::Timestamp;
use webpubsub_protocol::url::RequestUrl;

use crate::config::Config;
use crate::connect::text;
use crate::event_driver::EventHost;
use crate::keys::{KeyRing, Keys};
use crate::object_api::ShardCall;
use crate::objects::Objects;
use crate::part::Part;
use crate::shard_range::ShardRange;
use crate::task::Task;
use crate::upgrade::is_web_socket;
use crate::view::ViewCache;

/// One request, and what the host can do about it.
///
/// One value is made for each request. No method is called while [`Host::with_views`] runs.
pub trait Host {
    /// Why something could not be done.
    type Error: fmt::Display + From<GatewayError>;
    /// What an object answers, with its socket if it has one.
    type Answer;
    /// The way to the service's objects.
    type Objects: Objects;
    /// The way to the event handlers of one hub.
    type Events<'a>: EventHost
    where
        Self: 'a;

    /// The time.
    fn now(&self) -> Timestamp;

    /// Fills all bytes with random ones.
    ///
    /// # Errors
    /// The platform has no random bytes.
    fn fill_random(&self, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Checks a server's token, as [`verify_service`] does. A host may remember which it has found good with these keys.
    ///
    /// # Errors
    /// [`TokenError`] for a bad token.
    fn verify_service(
        &self,
        keys: &Arc<Keys>,
        token: &str,
        audience: &ServiceAudience<'_>,
    ) -> Result<PublicOrigin, TokenError> {
        verify_service(&keys.access, self.now(), token, audience)
    }

    /// Takes the task of the request that is about to be forwarded. A host that passes the request itself on drops it.
    fn forward_task(&self, task: Box<Task>) {
        drop(task);
    }

    /// Runs `use_it` with the views of hubs that this host caches.
    fn with_views<T>(&self, use_it: impl FnOnce(&mut ViewCache) -> T) -> T;

    /// Returns a header of the request by its name.
    fn header(&self, name: &str) -> Option<String>;

    /// Returns names and values of all headers of the request.
    fn headers(&self) -> Vec<(String, String)>;

    /// Returns the address that the request's connection comes from; empty where it is not known.
    fn address(&self) -> String;

    /// Reads the body of the request, unless it is longer than so many bytes.
    fn body(&self, most: usize) -> impl Future<Output = Result<Result<Vec<u8>, Refusal>, Self::Error>>;

    /// Whether the request can go to a shard as it is. A host may rather read its body first, which [`Host::gather`]
    /// does.
    fn can_forward(&self) -> bool {
        true
    }

    /// Whether a request can become a WebSocket that lists other protocols beside.
    fn can_choose_protocol(&self) -> bool {
        true
    }

    /// Returns the way to the service's objects.
    fn objects(&self) -> &Self::Objects;

    /// Returns the way to the event handlers of a hub.
    fn events<'a>(&'a self, hub: &'a HubName) -> Self::Events<'a>;

    /// Has the directory of a hub keep a delivery record, and does not wait for it.
    fn keep_delivery(&self, hub: &HubName, record: &str);

    /// Offers a client to a shard. Returns the answer, its status, and how many connections the shard holds, if
    /// it says that.
    fn offer(
        &self,
        name: &str,
        call: ShardCall,
    ) -> impl Future<Output = Result<(Self::Answer, u16, Option<u32>), Self::Error>>;

    /// Has these shards do their parts of the request's task. Returns the part of all.
    fn gather(
        &self,
        hub: &HubName,
        shards: ShardRange,
        task: &Task,
    ) -> impl Future<Output = Result<Part<Self::Answer>, Self::Error>>;

    /// Writes to the log that something of the service's failed.
    fn log_failure(&self, what: &str, error: &Self::Error);

    /// Writes to the log that something was not done, and rightly so.
    fn log_refusal(&self, what: &str, why: &dyn fmt::Display);
}

/// What an object did not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// A directory has failed.
    #[error("the directory gave no view")]
    NoView,
    /// The register has failed.
    #[error("the register gave no list")]
    NoRegister,
    /// The register has not said which access keys hold.
    #[error("the register gave no access keys")]
    NoKeys,
    /// A shard has neither accepted a client nor refused it.
    #[error("the shard failed")]
    NoOffer,
    /// A shard did not take new settings, or the register not their hub.
    #[error("not every shard took the settings yet")]
    SettingsNotTaken,
    /// No shard has carried its part of a request out.
    #[error("no shard answered")]
    NoPart,
    /// A shard or a directory did not show what it has.
    #[error("an object gave no list")]
    NoList,
    /// A shard did not answer.
    #[error("not every shard closed its sockets")]
    SocketsNotClosed,
}

/// A request from outside.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// The method.
    pub method: &'a str,
    /// The URL.
    pub url: RequestUrl<'a>,
    /// The header `Authorization`; empty for none.
    pub authorization: &'a str,
}

impl<'a> Incoming<'a> {
    /// Reads a request of which the method, a blank, the URL, a line break and the header `Authorization` are given.
    /// `None` where the URL is not absolute.
    #[must_use]
    pub fn read(head: &'a str) -> Option<Self> {
        let (line, authorization) = head.split_once('\n')?;
        let (method, url) = line.split_once(' ')?;
        Some(Self { method, url: RequestUrl::split(url)?, authorization })
    }
}

/// How a request is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer<A> {
    /// With this.
    Respond(Response),
    /// With what an object answered.
    Pass(A),
    /// With what a shard, by its object's name, makes of the request as it is.
    Forward(String),
    /// With a file that goes with the service.
    File,
    /// With the socket in an object's answer, and this subprotocol.
    Accept(A, Option<String>),
    /// With a socket of this subprotocol that is closed at once.
    AcceptAndClose(CloseCause, Option<String>),
}

/// What stands between requests from outside and the objects.
#[expect(missing_debug_implementations, reason = "the configuration has keys")]
pub struct Gateway<'a, H> {
    /// What can be done about the request.
    pub host: &'a H,
    /// The configuration.
    pub config: &'a Config,
    /// Whether the request is looked at once more, with the newest keys.
    looks_again: Cell<bool>,
}

impl<'a, H> Gateway<'a, H> {
    /// What stands between one request and the objects.
    pub const fn new(host: &'a H, config: &'a Config) -> Self {
        Self { host, config, looks_again: Cell::new(false) }
    }
}

impl<H: Host> Gateway<'_, H> {
    /// Answers a request.
    ///
    /// The keys are known before it is looked at. Where it has a signature of none of them, it is looked at once more with
    /// the newest.
    pub async fn answer(&self, asked: Incoming<'_>) -> Answer<H::Answer> {
        let is_signing_in = asked.method == "POST" && asked.url.path == session::PATH;
        let mut age = if is_signing_in { KeyRing::MAX_AGE_FOR_NEW } else { KeyRing::MAX_AGE };
        loop {
            if !self.know_keys(age).await {
                return Answer::Respond(refuse(&Refusal::Internal, asked.method));
            }
            let answer = self.answer_once(asked).await;
            age = KeyRing::MAX_AGE_FOR_NEW;
            if !self.looks_again.replace(false) {
                return answer;
            }
        }
    }

    /// Takes note of whether something may have been signed with a key that is not known.
    fn meets(&self, is_unknown_key: bool) {
        if is_unknown_key && self.config.keys.is_older(self.host.now(), KeyRing::MAX_AGE_FOR_NEW) {
            self.looks_again.set(true);
        }
    }

    /// Logs why something is refused, unless it is looked at once more.
    fn log_refusal(&self, what: &str, why: &dyn fmt::Display) {
        if !self.looks_again.get() {
            self.host.log_refusal(what, why);
        }
    }

    async fn answer_once(&self, asked: Incoming<'_>) -> Answer<H::Answer> {
        let url = asked.url;
        if url.path.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("/api/")) {
            return self.rest(asked).await;
        }
        if url.path.starts_with("/management/") {
            let mut answer = if url.path == session::PATH {
                Answer::Respond(self.session_request(asked).await)
            } else {
                self.management(asked).await
            };
            if let Answer::Respond(response) = &mut answer {
                response.headers.push(("cache-control", "no-store".into()));
            }
            return answer;
        }
        match ClientEndpoint::parse(url.path, url.query) {
            Ok(endpoint) => self.client(asked, &endpoint).await,
            Err(EndpointError::NotAClientPath) => {
                let reads = url.path.starts_with('/') && matches!(asked.method, "GET" | "HEAD");
                if reads && !self.is_upgrade(asked) {
                    Answer::File
                } else {
                    Answer::Respond(text(404, "Not Found".to_owned()))
                }
            }
            Err(error) => Answer::Respond(text(error.status(), format!("Invalid request: {error}."))),
        }
    }

    /// Whether a request wants to become a WebSocket.
    fn is_upgrade(&self, asked: Incoming<'_>) -> bool {
        let Some(upgrade) = self.host.header("Upgrade") else { return false };
        let is_choice = self.host.can_choose_protocol() || !upgrade.contains(',');
        asked.method == "GET" && is_choice && is_web_socket(&upgrade)
    }

    /// Where the caller of a request, which is called `what` in the log, sees the service, if it has a token
    /// for exactly its URL, or a session.
    fn check_caller(&self, what: &str, asked: Incoming<'_>) -> Result<PublicOrigin, Refusal> {
        let Self { host, config, .. } = self;
        if asked.authorization.is_empty()
            && let Some(session) = self.session(asked)
        {
            return session;
        }
        let hosts = Hosts { requested: asked.url.host, accepted: &config.accepted_hosts };
        let audience = ServiceAudience { hosts, path: asked.url.path };
        let token = bearer(asked.authorization).ok_or(TokenError::Missing);
        let checked = token.and_then(|token| host.verify_service(&config.keys.get(), token, &audience));
        checked.map_err(|error| {
            self.meets(error == TokenError::Signature);
            self.log_refusal(&format!("authorising {what}"), &error);
            error.into()
        })
    }
}

/// A response with a body of this media type, or with none.
fn with_type(status: u16, media_type: &'static str, body: String) -> Response {
    let headers = if body.is_empty() { Vec::new() } else { vec![("content-type", media_type.into())] };
    Response { status, headers, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_a_method_a_url_and_an_authorization() {
        let asked = Incoming::read("GET https://a.example/api?b=c\nBearer d").unwrap();
        assert_eq!((asked.method, asked.url.path, asked.authorization), ("GET", "/api", "Bearer d"));
        assert_eq!(Incoming::read("GET https://a.example/\n").unwrap().authorization, "");
    }

    #[test]
    fn a_head_without_an_absolute_url_is_none() {
        for head in ["", "GET /api\n", "GET https://a.example/", "\n"] {
            assert!(Incoming::read(head).is_none(), "{head}");
        }
    }
}

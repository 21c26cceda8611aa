//! Sessions of operators: signing in and out, and what a request with a session's cookie may do.

use std::borrow::Cow;

use webpubsub_auth::{
    Hosts, PublicOrigin, SESSION_LIFETIME, ServiceAudience, SessionKeys, TokenError, verify_ticket,
};
use webpubsub_protocol::json::{Json, Members, Writer};
use webpubsub_protocol::rest::{self, Refusal, Response};
use webpubsub_protocol::time::Timestamp;

use super::{Gateway, Host, Incoming, with_type};
use crate::object_api::{DirectoryCall, REGISTER};
use crate::objects::ask_directory;
use crate::sign_in::SignIn;

/// The most bytes of a body that signs in, which anybody may send. A ticket is a token of a few hundred.
const MAX_SIGN_IN_BYTES: usize = 16 << 10;

/// Where sessions begin and end.
pub(super) const PATH: &str = "/management/session";

/// The cookie that has a session.
const COOKIE: &str = "webpubsub-session";

/// The header that each request of a session carries: no other site can have a browser send it.
const HEADER: &str = "X-Portal";

/// Why a request that may come from another site is refused.
const FOREIGN: Refusal = Refusal::Forbidden {
    why: "A session's request carries `X-Portal: 1`, and comes from a page of this service.",
};

/// A header of an answer.
type Header = (&'static str, Cow<'static, str>);

impl<H: Host> Gateway<'_, H> {
    /// Answers one request to [`PATH`].
    pub(super) async fn session_request(&self, asked: Incoming<'_>) -> Response {
        let answered = match asked.method {
            "GET" => Ok(Ok(self.session_state())),
            "POST" => self.sign_in(asked).await,
            "DELETE" => Ok(self.check_origin(asked).map(|()| {
                let headers = vec![self.cookie(asked, "", 0)];
                Response { status: 204, headers, body: String::new() }
            })),
            _ => Ok(Err(Refusal::Method { allow: "GET, POST, DELETE".to_owned() })),
        };
        match answered {
            Ok(Ok(response)) => response,
            Ok(Err(refusal)) => rest::refuse(&refusal, asked.method),
            Err(error) => {
                self.host.log_failure("signing in", &error);
                rest::refuse(&Refusal::Internal, asked.method)
            }
        }
    }

    /// Where the caller of a request with a session sees the service; `None` without one.
    pub(super) fn session(&self, asked: Incoming<'_>) -> Option<Result<PublicOrigin, Refusal>> {
        self.session_ends()?;
        let scheme = if self.is_secure(asked) { "https" } else { "http" };
        let origin = PublicOrigin { scheme, host: asked.url.host.to_owned() };
        Some(self.check_origin(asked).map(|()| origin))
    }

    /// When the session in the cookie of a request ends, if there is a good one.
    fn session_ends(&self) -> Option<Timestamp> {
        let keys = self.config.keys.get();
        let keys = keys.session.as_ref()?;
        let cookies = self.host.header("Cookie")?;
        let sessions = cookies.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        let sessions = sessions.filter(|(name, _)| *name == COOKIE);
        let mut verified = sessions.map(|(_, session)| keys.verify(self.host.now(), session));
        verified.find_map(|session| {
            self.meets(session == Err(TokenError::Signature));
            session.ok()
        })
    }

    fn session_state(&self) -> Response {
        let ends = self.session_ends();
        let flag = |is: bool| if is { "true" } else { "false" };
        let mut state = Writer::object();
        state.json("isAvailable", flag(self.config.keys.get().session.is_some()));
        state.json("isSignedIn", flag(ends.is_some()));
        let ends = ends.map_or("null".to_owned(), |ends| ends.as_millis().to_string());
        state.json("expires", &ends);
        with_type(200, "application/json; charset=utf-8", state.finish())
    }

    async fn sign_in(&self, asked: Incoming<'_>) -> Result<Result<Response, Refusal>, H::Error> {
        let known = self.config.keys.get();
        let Some(keys) = &known.session else {
            let why = "Signing in is off: the operator has not set PORTAL_SECRET.";
            return Ok(Err(Refusal::NotFound { why }));
        };
        if let Err(refusal) = self.check_origin(asked) {
            return Ok(Err(refusal));
        }
        let body = match self.host.body(MAX_SIGN_IN_BYTES).await? {
            Ok(body) => String::from_utf8(body).unwrap_or_default(),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(body) = Members::parse(&body) else { return Ok(Err(Refusal::NotJson)) };
        let text = |name| body.get(name).and_then(Json::text);
        let now = self.host.now();
        let refusal = if let Some(ticket) = text("ticket") {
            let hosts = Hosts { requested: asked.url.host, accepted: &self.config.accepted_hosts };
            let audience = ServiceAudience { hosts, path: asked.url.path };
            match verify_ticket(&known.access, now, &ticket, &audience) {
                Ok(ticket) => {
                    let attempt = SignIn::Ticket { id: ticket.id, expires: ticket.expires };
                    let why = "The ticket was used before. Each signs in once.";
                    (!self.may_sign_in(attempt).await).then_some(Refusal::Unauthorized { why })
                }
                Err(error) => {
                    self.host.log_refusal("signing in with a ticket", &error);
                    Some(error.into())
                }
            }
        } else if !self.may_sign_in(SignIn::Secret { address: self.host.address() }).await {
            let why = "There were too many attempts to sign in. Wait a minute.";
            Some(Refusal::TooManyRequests { why })
        } else {
            // One that the right keys take was made out of the right secret.
            let given = known.session_keys(text("secret").as_deref().unwrap_or_default());
            let is_right = given.is_some_and(|given| keys.verify(now, &given.sign(now)).is_ok());
            if !is_right {
                self.host.log_refusal("signing in", &TokenError::Signature);
            }
            (!is_right).then_some(Refusal::Unauthorized { why: "The secret is wrong." })
        };
        Ok(match refusal {
            Some(refusal) => Err(refusal),
            None => {
                // The keys may have been changed meanwhile.
                let keys = self.config.keys.get();
                let cookie = keys.session.as_ref().map(|keys| self.session_cookie(asked, keys));
                Ok(Response { status: 204, headers: Vec::from_iter(cookie), body: String::new() })
            }
        })
    }

    /// Whether the register lets an attempt go on.
    async fn may_sign_in(&self, attempt: SignIn) -> bool {
        let call = DirectoryCall::SignIn(attempt);
        ask_directory(self.host.objects(), REGISTER, call).await.is_some()
    }

    /// Refuses what a page of another site may have sent.
    fn check_origin(&self, asked: Incoming<'_>) -> Result<(), Refusal> {
        let is_own = self.host.header("Origin").map(|origin| {
            // By the character: to look for a text in another takes 1.7 KB of the worker.
            let host =
                origin.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//")).unwrap_or_default();
            let accepted = self.config.accepted_hosts.iter().map(String::as_str);
            std::iter::once(asked.url.host).chain(accepted).any(|known| known.eq_ignore_ascii_case(host))
        });
        // A page cannot give a WebSocket's handshake a header, but a browser always says its origin.
        let is_safe = match is_own {
            Some(is_own) => is_own && (self.is_upgrade(asked) || self.host.header(HEADER).is_some()),
            None => self.host.header(HEADER).is_some(),
        };
        if is_safe { Ok(()) } else { Err(FOREIGN) }
    }

    /// Whether the page of a request came over https, which a proxy may have ended.
    fn is_secure(&self, asked: Incoming<'_>) -> bool {
        asked.url.scheme == "https"
            || self.host.header("Origin").is_some_and(|origin| origin.starts_with("https:"))
    }

    /// The header that begins a session.
    pub(super) fn session_cookie(&self, asked: Incoming<'_>, keys: &SessionKeys) -> Header {
        self.cookie(asked, &keys.sign(self.host.now()), SESSION_LIFETIME.as_secs())
    }

    fn cookie(&self, asked: Incoming<'_>, session: &str, seconds: u64) -> Header {
        let secure = if self.is_secure(asked) { "; Secure" } else { "" };
        let cookie =
            format!("{COOKIE}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}");
        ("set-cookie", cookie.into())
    }
}

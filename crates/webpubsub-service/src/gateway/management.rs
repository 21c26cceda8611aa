//! What an operator asks under `/management/`: of the whole service here, of one hub in `hub.rs`.

mod hub;

use webpubsub_protocol::limits::MAX_REST_MESSAGE_BYTES;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Query, Refusal, Response};

use super::{Answer, Gateway, GatewayError, Host, Incoming, text, with_type};
use crate::history::HistoryList;
use crate::management::{HubRequest, ManagementRequest, MetricsText, Overview, show_hubs, show_keys};
use crate::object_api::{DirectoryCall, Offered, ShardCall, object_name, shard_names};
use crate::objects::Objects as _;
use crate::trace::TraceRequest;

/// How many hubs are woken at once to close their sockets.
const HUBS_AT_ONCE: usize = 100;

impl<H: Host> Gateway<'_, H> {
    /// Answers one request under `/management/`.
    pub(super) async fn management(&self, asked: Incoming<'_>) -> Answer<H::Answer> {
        let token = self.token_in_query(asked);
        let asked = Incoming { authorization: token.as_deref().unwrap_or(asked.authorization), ..asked };
        let refusal = match self.managed(asked).await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(refusal)) => refusal,
            Err(error) => {
                self.host.log_failure("an operator's request", &error);
                Refusal::Internal
            }
        };
        Answer::Respond(rest::refuse(&refusal, asked.method))
    }

    async fn managed(&self, asked: Incoming<'_>) -> Result<Result<Answer<H::Answer>, Refusal>, H::Error> {
        let checked = self.check_caller("an operator's request", asked);
        let parsed =
            checked.and_then(|origin| Ok((ManagementRequest::parse(asked.method, asked.url.path)?, origin)));
        let (request, origin) = match parsed {
            Ok(parsed) => parsed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let ManagementRequest::Hub(hub, HubRequest::Trace) = &request {
            return self.trace(hub, asked).await;
        }
        Ok(self.manage(request, asked, &origin.host).await?.map(Answer::Respond))
    }

    /// The token of a WebSocket's handshake, to which a browser gives no header, as the value of `Authorization`.
    fn token_in_query(&self, asked: Incoming<'_>) -> Option<String> {
        let is_without = asked.authorization.is_empty() && self.is_upgrade(asked);
        let token = is_without.then(|| Query(asked.url.query).one("access_token").ok().flatten())??;
        Some(["Bearer ", &token].concat())
    }

    /// Has a shard accept the socket of an operator who watches.
    async fn trace(
        &self,
        hub: &HubName,
        asked: Incoming<'_>,
    ) -> Result<Result<Answer<H::Answer>, Refusal>, H::Error> {
        let query = asked.url.query.unwrap_or_default();
        // The token is the last parameter, and is not kept with the socket.
        let (others, last) = query.rsplit_once('&').unwrap_or(("", query));
        let query = if last.starts_with("access_token=") { others } else { query };
        let request = match TraceRequest::parse(query) {
            Ok(request) if query.is_ascii() => request,
            Ok(_) => return Ok(Err(Refusal::ParameterEncoding { name: "group" })),
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !self.is_upgrade(asked) {
            let mut response = text(426, "A trace is a WebSocket: ask with `Upgrade: websocket`.".to_owned());
            response.headers.push(("upgrade", "websocket".into()));
            return Ok(Ok(Answer::Respond(response)));
        }
        if request.shard.0 >= self.view(hub).await?.map.reached {
            return Ok(Err(Refusal::NotFound {
                why: "The hub has no such shard: they are numbered from 0.",
            }));
        }
        let name = object_name(hub, request.shard);
        let (answer, status, _) = self.host.offer(&name, ShardCall::Watch(query.to_owned())).await?;
        match Offered::of_status(status) {
            Some(Offered::Accepted) => Ok(Ok(Answer::Pass(answer))),
            Some(Offered::Full(_)) => {
                let why = "As many watch this shard as may: close one of the other traces.";
                Ok(Err(Refusal::TooManyRequests { why }))
            }
            Some(Offered::Refused) | None => Err(GatewayError::NoOffer.into()),
        }
    }

    async fn manage(
        &self,
        request: ManagementRequest,
        asked: Incoming<'_>,
        origin: &str,
    ) -> Result<Result<Response, Refusal>, H::Error> {
        Ok(Ok(match request {
            ManagementRequest::Metrics => self.metrics().await?,
            ManagementRequest::History => self.history().await?,
            ManagementRequest::Hubs => {
                let names = self.known_hubs().await?;
                json(show_hubs(&names))
            }
            ManagementRequest::CloseSockets => {
                // A caller that begins the request early has it come through when the process takes no new ones.
                if let Err(refusal) = self.host.body(MAX_REST_MESSAGE_BYTES).await? {
                    return Ok(Err(refusal));
                }
                self.close_sockets().await?
            }
            ManagementRequest::Keys => {
                let reveal = Query(asked.url.query).one("reveal");
                match reveal {
                    Ok(reveal) => {
                        json(show_keys(&self.config.keys.get().texts, reveal.as_deref() == Some("1")))
                    }
                    Err(refusal) => return Ok(Err(refusal)),
                }
            }
            ManagementRequest::RotateKeys => self.change_keys(None, asked).await?,
            ManagementRequest::RegenerateKey(role) => self.change_keys(Some(role), asked).await?,
            ManagementRequest::Overview => self.overview().await?,
            ManagementRequest::Hub(hub, request) => {
                return self.manage_hub(&hub, request, asked.url.query, origin).await;
            }
        }))
    }

    /// The version, and what the metrics of each hub come to.
    async fn overview(&self) -> Result<Response, H::Error> {
        let mut overview = Overview::new();
        self.ask_all(&|| ShardCall::Metrics, &mut |hub, shards| overview.add(hub, shards)).await?;
        Ok(json(overview.finish(self.host.now())))
    }

    /// The names of all hubs that were ever used.
    async fn known_hubs(&self) -> Result<Vec<HubName>, H::Error> {
        Ok(self.used_hubs().await?.lines().filter_map(|name| HubName::parse(name).ok()).collect())
    }

    /// Has every shard of every hub close its sockets, as before a stop of the service. A hub that fails does
    /// not keep the others from it.
    async fn close_sockets(&self) -> Result<Response, H::Error> {
        let mut all = true;
        for hubs in self.known_hubs().await?.chunks(HUBS_AT_ONCE) {
            let names = hubs.iter().map(|hub| hub.as_str().to_owned()).collect();
            let answers = self.host.objects().ask_directories(names, DirectoryCall::GoAway).await;
            all &= answers.iter().all(Option::is_some);
        }
        if all { Ok(text(204, String::new())) } else { Err(GatewayError::SocketsNotClosed.into()) }
    }

    /// Every metric of every shard of every hub.
    async fn metrics(&self) -> Result<Response, H::Error> {
        let mut metrics = MetricsText::new();
        self.ask_all(&|| ShardCall::Metrics, &mut |hub, shards| {
            for (shard, values) in shards.iter().enumerate() {
                metrics.add(hub, shard, values.as_deref().unwrap_or_default());
            }
        })
        .await?;
        Ok(with_type(200, MetricsText::CONTENT_TYPE, metrics.finish()))
    }

    /// The last hour of every metric of every shard of every hub.
    async fn history(&self) -> Result<Response, H::Error> {
        let (now, mut histories) = (self.host.now(), HistoryList::new());
        self.ask_all(&|| ShardCall::History(now), &mut |hub, shards| histories.add(hub, shards)).await?;
        Ok(json(histories.finish(now)))
    }

    /// Asks every shard of every hub, which wakes them all, and has `add` take what those of each hub answer, `None`
    /// of one that does not.
    async fn ask_all(
        &self,
        call: &dyn Fn() -> ShardCall,
        add: &mut dyn FnMut(&HubName, &[Option<String>]),
    ) -> Result<(), H::Error> {
        for hub in self.known_hubs().await? {
            let names = shard_names(&hub, &self.view(&hub).await?.map);
            add(&hub, &self.host.objects().ask_shards(names, call()).await);
        }
        Ok(())
    }
}

pub(super) fn json(body: String) -> Response {
    with_type(200, "application/json; charset=utf-8", body)
}

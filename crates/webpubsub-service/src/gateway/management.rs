//! What an operator asks under `/management/`: hubs' settings, their shards, what became of events, and
//! metrics.

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, Refusal, Response};
use webpubsub_shard::{HubSettings, ShardId};

use super::{Gateway, GatewayError, Host, Incoming, text, with_type};
use crate::management::{HubRequest, ManagementRequest, MetricsText, read_settings, show_hubs, show_shards};
use crate::object_api::{DirectoryCall, ShardCall, shard_names};

/// How many hubs are woken at once to close their sockets.
const HUBS_AT_ONCE: usize = 100;

impl<H: Host> Gateway<'_, H> {
    /// Answers one request under `/management/`.
    pub(super) async fn management(&self, asked: Incoming<'_>) -> Response {
        let refusal = match self.check_token("an operator's request", asked) {
            Ok(origin) => match ManagementRequest::parse(asked.method, asked.url.path) {
                Ok(request) => match self.manage(request, &origin.host).await {
                    Ok(Ok(response)) => return response,
                    Ok(Err(refusal)) => refusal,
                    Err(error) => {
                        self.host.log_failure("an operator's request", &error);
                        Refusal::Internal
                    }
                },
                Err(refusal) => refusal,
            },
            Err(refusal) => refusal,
        };
        rest::refuse(&refusal, asked.method)
    }

    async fn manage(
        &self,
        request: ManagementRequest,
        origin: &str,
    ) -> Result<Result<Response, Refusal>, H::Error> {
        Ok(Ok(match request {
            ManagementRequest::Metrics => self.metrics().await?,
            ManagementRequest::Hubs => {
                let names: Vec<String> = self.known_hubs().await?.iter().map(HubName::to_string).collect();
                json(show_hubs(&names))
            }
            ManagementRequest::CloseSockets => {
                // A caller that begins the request early has it come through when the process takes no new ones.
                if let Err(refusal) = self.host.body().await? {
                    return Ok(Err(refusal));
                }
                self.close_sockets().await?
            }
            ManagementRequest::Hub(hub, request) => self.manage_hub(&hub, request, origin).await?,
        }))
    }

    async fn manage_hub(
        &self,
        hub: &HubName,
        request: HubRequest,
        origin: &str,
    ) -> Result<Response, H::Error> {
        let Self { host, config } = self;
        // The view as it is, and not as it is cached.
        self.forget(hub);
        let view = self.view(hub).await?;
        let settings = view.settings(config, hub);
        Ok(match request {
            HubRequest::Settings => json(settings.show()),
            HubRequest::ChangeSettings => {
                let Ok(body) = host.body().await? else {
                    return Ok(text(413, "The settings of a hub are at most 1 MiB of JSON.".to_owned()));
                };
                let body = String::from_utf8(body).unwrap_or_default();
                match read_settings(&body, &settings, config) {
                    Ok(given) => {
                        let shown = given.show();
                        self.change(hub, Some(given)).await?;
                        json(shown)
                    }
                    Err(error) => text(400, format!("Invalid settings: {error}.")),
                }
            }
            HubRequest::DeleteSettings => {
                self.change(hub, None).await?;
                text(204, String::new())
            }
            HubRequest::Shards => json(show_shards(&view.map)),
            HubRequest::Deliveries => json(host.deliveries(hub, shard_names(hub, &view.map)).await?),
            HubRequest::TestHandler(index) => {
                let policy = config.policy(hub, settings);
                match index.and_then(|index| policy.settings.event_handlers.get(index)) {
                    Some(handler) => {
                        let mut random = [0; 16];
                        host.fill_random(&mut random)?;
                        let connection = ShardId(0).connection_id(random);
                        json(host.test_handler((&policy, handler), &connection, origin).await)
                    }
                    None => {
                        text(404, "The hub has no such event handler: they are numbered from 0.".to_owned())
                    }
                }
            }
        })
    }

    /// Changes a hub's settings. That holds for this host at once, and for the others when they have forgotten
    /// what they hold.
    async fn change(&self, hub: &HubName, settings: Option<HubSettings>) -> Result<(), H::Error> {
        let call = DirectoryCall::ChangeSettings(settings);
        let answers = self.host.ask_directories(vec![hub.to_string()], call).await?;
        self.forget(hub);
        if answers.iter().all(Option::is_some) { Ok(()) } else { Err(GatewayError::SettingsNotTaken.into()) }
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
            let names = hubs.iter().map(HubName::to_string).collect();
            match self.host.ask_directories(names, DirectoryCall::GoAway).await {
                Ok(answers) => all &= answers.iter().all(Option::is_some),
                Err(error) => {
                    self.host.log_failure("closing the sockets of a hub", &error);
                    all = false;
                }
            }
        }
        if all { Ok(text(204, String::new())) } else { Err(GatewayError::SocketsNotClosed.into()) }
    }

    /// Every metric of every shard of every hub. Asking wakes them all.
    async fn metrics(&self) -> Result<Response, H::Error> {
        let mut metrics = MetricsText::new();
        for hub in self.known_hubs().await? {
            let names = shard_names(&hub, &self.view(&hub).await?.map);
            let answers = self.host.ask_shards(names, ShardCall::Metrics).await?;
            for (shard, values) in answers.iter().enumerate() {
                metrics.add(&hub, shard, values.as_deref().unwrap_or_default());
            }
        }
        Ok(with_type(200, MetricsText::CONTENT_TYPE, metrics.finish()))
    }
}

fn json(body: String) -> Response {
    with_type(200, "application/json; charset=utf-8", body)
}

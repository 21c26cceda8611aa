//! What an operator asks about one hub: its settings, its shards, connections and groups, and what became of its
//! events.

use webpubsub_protocol::limits::MAX_REST_MESSAGE_BYTES;
use webpubsub_protocol::name::{ConnectionId, HubName};
use webpubsub_protocol::rest::{self, Outcome, Refusal, Response};
use webpubsub_shard::{HubSettings, ShardId};

use super::json;
use crate::connect::text;
use crate::gateway::{Gateway, GatewayError, Host};
use crate::handler_test::test_handler;
use crate::listing::{ConnectionList, GroupList, ListPosition, Listing, ShardPage, show_connections};
use crate::management::{HubRequest, read_settings, show_shards};
use crate::object_api::{DirectoryCall, ShardCall, object_name, shard_names};
use crate::objects::{Objects as _, ask_directory};
use crate::shard_range::{Destination, ShardRange};
use crate::view::HubView;

/// How many times shards are asked for one page of connections.
const MAX_LOOKS: usize = 8;

impl<H: Host> Gateway<'_, H> {
    /// Answers a request about one hub, but for a trace, which is answered with a socket.
    pub(super) async fn manage_hub(
        &self,
        hub: &HubName,
        request: HubRequest,
        query: Option<&str>,
        origin: &str,
    ) -> Result<Result<Response, Refusal>, H::Error> {
        // The view as it is, and not as it is cached.
        self.forget(hub);
        let view = self.view(hub).await?;
        let settings = view.settings(self.config, hub);
        Ok(Ok(match request {
            HubRequest::Settings => json(settings.show()),
            HubRequest::ChangeSettings => self.change_settings(hub, &settings).await?,
            HubRequest::DeleteSettings => {
                self.change(hub, None).await?;
                text(204, String::new())
            }
            HubRequest::Shards => json(show_shards(&view.map)),
            HubRequest::Connections => match ConnectionList::parse(query) {
                Ok(list) => self.list_connections(hub, &view, list, query).await?,
                Err(refusal) => return Ok(Err(refusal)),
            },
            HubRequest::Connection(id) => self.one_connection(hub, &view, id).await?,
            HubRequest::Trace => return Ok(Err(Refusal::UnknownPath)),
            HubRequest::Groups => match GroupList::parse(query) {
                Ok(list) => self.list_groups(hub, &view, &list, query).await?,
                Err(refusal) => return Ok(Err(refusal)),
            },
            HubRequest::Deliveries => self.deliveries(hub).await?,
            HubRequest::TestHandler(index) => self.test_handler(hub, settings, index, origin).await?,
        }))
    }

    /// Changes a hub's settings to those in the body. Secrets that are left out stay what they are in `present`.
    async fn change_settings(&self, hub: &HubName, present: &HubSettings) -> Result<Response, H::Error> {
        let Ok(body) = self.host.body(MAX_REST_MESSAGE_BYTES).await? else {
            return Ok(text(413, "The settings of a hub are at most 1 MiB of JSON.".to_owned()));
        };
        let body = String::from_utf8(body).unwrap_or_default();
        match read_settings(&body, present, self.config) {
            Ok(given) => {
                let shown = given.show();
                self.change(hub, Some(given)).await?;
                Ok(json(shown))
            }
            Err(error) => Ok(text(400, format!("Invalid settings: {error}."))),
        }
    }

    /// Changes a hub's settings. That holds for this host at once, and for the others when they have forgotten
    /// what they hold.
    async fn change(&self, hub: &HubName, settings: Option<HubSettings>) -> Result<(), H::Error> {
        let call = DirectoryCall::ChangeSettings(settings);
        let taken = ask_directory(self.host.objects(), hub.as_str(), call).await;
        self.forget(hub);
        if taken.is_some() { Ok(()) } else { Err(GatewayError::SettingsNotTaken.into()) }
    }

    /// Calls an event handler of a hub, by its place in the settings, and shows how that went.
    async fn test_handler(
        &self,
        hub: &HubName,
        settings: HubSettings,
        index: Option<usize>,
        origin: &str,
    ) -> Result<Response, H::Error> {
        let Self { host, config, .. } = self;
        let policy = config.policy(hub, settings);
        let Some(handler) = index.and_then(|index| policy.settings.event_handlers.get(index)) else {
            let why = "The hub has no such event handler: they are numbered from 0.";
            return Ok(text(404, why.to_owned()));
        };
        let mut random = [0; 16];
        host.fill_random(&mut random)?;
        let connection = ShardId(0).connection_id(random);
        let (events, keys) = (host.events(hub), config.keys.get());
        let keep = |record: &str| host.keep_delivery(hub, record);
        let handler = (&policy, handler);
        Ok(json(test_handler(&events, &keep, handler, &connection, origin, &keys.access).await))
    }

    /// A page of a hub's connections: shard after shard, until it is full or shards were asked so many times.
    async fn list_connections(
        &self,
        hub: &HubName,
        view: &HubView,
        list: ConnectionList,
        query: Option<&str>,
    ) -> Result<Response, H::Error> {
        let (mut place, mut left) = (Some(list.start), list.top);
        let mut connections = Vec::new();
        for _ in 0..MAX_LOOKS {
            let Some(at) = place.filter(|at| at.shard < view.map.reached && left > 0) else { break };
            let query = query.unwrap_or_default().to_owned();
            let listing = Listing::Connections { from: at.from, limit: left, query };
            let names = vec![object_name(hub, ShardId(at.shard))];
            let answers = self.host.objects().ask_shards(names, ShardCall::List(listing)).await;
            let answer = answers.first().and_then(Option::as_deref).and_then(ShardPage::parse);
            let page = answer.ok_or(GatewayError::NoList)?;
            left = left.saturating_sub(page.count);
            if page.count > 0 {
                connections.push(page.connections.to_owned());
            }
            place = match page.next {
                Some(from) => Some(ListPosition { from, ..at }),
                None => at.next_shard(),
            };
        }
        let next = place.filter(|at| at.shard < view.map.reached);
        Ok(json(show_connections(&connections, next)))
    }

    /// One connection, as its shard knows it.
    async fn one_connection(
        &self,
        hub: &HubName,
        view: &HubView,
        id: ConnectionId,
    ) -> Result<Response, H::Error> {
        let not_found = |id| rest::respond(&Outcome::NoConnectionToAdd(id));
        let shards = ShardRange::below(view.map.reached);
        let shard = shards.only(&Destination::OwnerOf(id.clone())).unwrap_or(ShardId(0));
        let call = ShardCall::List(Listing::Connection(id.clone()));
        let answers = self.host.objects().ask_shards(vec![object_name(hub, shard)], call).await;
        let shown = answers.into_iter().next().flatten().ok_or(GatewayError::NoList)?;
        Ok(if shown.is_empty() { not_found(id) } else { json(shown) })
    }

    /// A page of a hub's groups, of all shards.
    async fn list_groups(
        &self,
        hub: &HubName,
        view: &HubView,
        list: &GroupList,
        query: Option<&str>,
    ) -> Result<Response, H::Error> {
        let call = ShardCall::List(Listing::Groups(query.unwrap_or_default().to_owned()));
        let answers = self.host.objects().ask_shards(shard_names(hub, &view.map), call).await;
        Ok(json(list.join(&answers).ok_or(GatewayError::NoList)?))
    }

    /// What became of the newest attempts to call the event handlers of a hub. Asking wakes all its shards.
    async fn deliveries(&self, hub: &HubName) -> Result<Response, H::Error> {
        let asked = ask_directory(self.host.objects(), hub.as_str(), DirectoryCall::Deliveries).await;
        Ok(json(asked.ok_or(GatewayError::NoList)?))
    }
}

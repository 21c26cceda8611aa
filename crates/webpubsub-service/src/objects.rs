//! The way from a host to the objects of the service, and what every host asks over it.

use std::future::Future;
use std::sync::Arc;

use webpubsub_protocol::name::HubName;
use webpubsub_protocol::time::Timestamp;
use webpubsub_shard::{Batch, ShardId};

use crate::keys::{KeyRing, Keys};
use crate::object_api::{DirectoryCall, REGISTER, ShardCall, object_name};
use crate::view::HubView;

/// The way to the shards and the directories of all hubs, wherever they are.
///
/// A call does not fail: the host logs what went wrong with an object, which then has no answer.
pub trait Objects {
    /// Makes the same call of all these shards at once. Returns the bodies of their answers, in their order; `None`
    /// for one that failed.
    fn ask_shards(&self, names: Vec<String>, call: ShardCall) -> impl Future<Output = Vec<Option<String>>>;

    /// The same of directories, or of the register.
    fn ask_directories(
        &self,
        names: Vec<String>,
        call: DirectoryCall,
    ) -> impl Future<Output = Vec<Option<String>>>;
}

/// Asks the directory of one hub, or the register by [`REGISTER`].
pub(crate) async fn ask_directory(objects: &impl Objects, name: &str, call: DirectoryCall) -> Option<String> {
    objects.ask_directories(vec![name.to_owned()], call).await.pop().flatten()
}

/// Asks a hub's directory for its view.
pub(crate) async fn ask_view(objects: &impl Objects, hub: &HubName) -> Option<HubView> {
    HubView::decode(&ask_directory(objects, hub.as_str(), DirectoryCall::View).await?)
}

/// Has the register of hubs take a hub. Returns whether it has.
pub(crate) async fn register(objects: &impl Objects, hub: &HubName) -> bool {
    ask_directory(objects, REGISTER, DirectoryCall::AddHub(hub.clone())).await.is_some()
}

/// What a shard asks once in a life, until it is answered: for what its hub's directory sent the others before there
/// was this one, and whether the register of hubs has taken the hub. `None` where the directory has failed.
pub async fn introduce(objects: &impl Objects, hub: &HubName) -> Option<(HubView, bool)> {
    let view = ask_view(objects, hub).await?;
    Some((view, register(objects, hub).await))
}

/// The access keys that hold, or held at most [`KeyRing::MAX_AGE`] ago.
pub(crate) async fn known_keys(objects: &impl Objects, now: Timestamp, keys: &KeyRing) -> Arc<Keys> {
    keys.no_older(now, KeyRing::MAX_AGE, ask_directory(objects, REGISTER, DirectoryCall::Keys)).await
}

/// Sends a batch to another shard of a hub. Returns whether that has taken it.
pub async fn relay(objects: &impl Objects, hub: &HubName, to: ShardId, batch: Batch) -> bool {
    let answers = objects.ask_shards(vec![object_name(hub, to)], ShardCall::Batch(batch)).await;
    answers.iter().all(Option::is_some)
}

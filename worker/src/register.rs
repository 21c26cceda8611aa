//! The register of all hubs, which one more directory keeps.

use webpubsub_protocol::name::HubName;
use webpubsub_service::{DirectoryCall, REGISTER};
use webpubsub_store::ObjectStore;
use worker::Env;

use crate::log;
use crate::objects::ask_directories;
use crate::platform::Error;
use crate::sql::Sql;

/// Has the register take a hub, unless this object's tables say that it has. What fails is logged, and tried
/// again by whoever calls this next.
pub(crate) async fn register(env: &Env, object: &ObjectStore<Sql>, hub: &HubName) {
    let add = async {
        let register = vec![REGISTER.to_owned()];
        let taken =
            ask_directories(env, register, &DirectoryCall::AddHub(hub.clone())).await?.pop().flatten();
        taken.map(drop).ok_or_else(|| Error::new("the register did not take a hub"))
    };
    if let Err(error) = webpubsub_service::register(object, add).await {
        log::failure("registering a hub", &error);
    }
}

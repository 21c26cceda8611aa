//! The REST API: a server's request to the hub's shards and back.

use webpubsub_auth::{PublicOrigin, sign_client, sign_continuation, verify_continuation};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, MemberPage, Operation, Outcome, Refusal, Route};
use webpubsub_shard::Reply;

use super::{Answer, Gateway, Host, Incoming};
use crate::object_api::object_name;
use crate::part::Part;
use crate::shard_range::ShardRange;
use crate::task::{Task, Work};

impl<H: Host> Gateway<'_, H> {
    /// Answers one request under `/api/`.
    pub(super) async fn rest(&self, asked: Incoming<'_>) -> Answer<H::Answer> {
        let (operation, origin) = match self.authorised(asked) {
            Ok(authorised) => authorised,
            Err(refusal) => return Answer::Respond(rest::refuse(&refusal, asked.method)),
        };
        let origin = || match &origin {
            Some(origin) => format!("{origin}"),
            None => format!("{}://{}", asked.url.scheme, asked.url.host),
        };
        let (hub, task) = match operation {
            Operation::Health => return Answer::Respond(rest::respond(&Outcome::Healthy)),
            // It changes with the code only.
            Operation::OpenApi => return Answer::File,
            Operation::GenerateToken { hub, request } => {
                let token =
                    sign_client(&self.config.keys.get().access, self.host.now(), &hub, &request, &origin());
                return Answer::Respond(rest::respond(&Outcome::Token(token)));
            }
            Operation::OfHub(hub, operation) => (hub, Box::new(Task::of(operation))),
        };
        if let Work::List { group, page } = &task.work
            && let Some(token) = &page.continuation_token
            && verify_continuation(&self.config.keys.get().access, &hub, group, token).is_err()
        {
            return Answer::Respond(rest::refuse(&Refusal::ContinuationToken, asked.method));
        }
        let (what, error) = match self.view(&hub).await {
            Ok(view) => {
                let mut shards = ShardRange::below(view.map.reached);
                if let Some(shard) = shards.only(&task.destination) {
                    if !matches!(task.work, Work::List { .. }) && self.host.can_forward() {
                        self.host.forward_task(task);
                        return Answer::Forward(object_name(&hub, shard));
                    }
                    shards = ShardRange::of(shard);
                }
                match self.host.gather(&hub, shards, &task).await {
                    Ok(Part::Replied(reply)) => {
                        return Answer::Respond(self.respond(&hub, &task, reply, &origin()));
                    }
                    Ok(Part::Refused(answer)) => return Answer::Pass(answer),
                    Err(error) => ("asking a shard", error),
                }
            }
            Err(error) => ("asking a hub's directory", error),
        };
        self.host.log_failure(what, &error);
        Answer::Respond(rest::refuse(&Refusal::Internal, asked.method))
    }

    /// The answer out of the reply of all shards.
    fn respond(&self, hub: &HubName, task: &Task, reply: Reply, origin: &str) -> rest::Response {
        let (group, page, members) = match (&task.work, reply) {
            (Work::List { group, page }, Reply::Members(members)) => (group, page, members),
            (_, reply) => return task.respond(reply),
        };
        let (members, next) = page.cut(members);
        let next_link = next.map(|next| {
            let token = sign_continuation(&self.config.keys.get().access, hub, group, &next.after);
            rest::next_link(origin, hub, group, page, &next, &token)
        });
        rest::respond(&Outcome::Members(MemberPage { members, next_link }))
    }

    /// The operation that a request asks for, once its caller is known to be allowed exactly this URL, and the
    /// service's origin as the caller knows it; `None` where anybody is allowed it.
    fn authorised(&self, asked: Incoming<'_>) -> Result<(Operation, Option<PublicOrigin>), Refusal> {
        let route = Route::find(asked.method, asked.url.path)?;
        let caller = route.needs_token().then(|| self.check_caller("a REST request", asked)).transpose()?;
        Ok((route.operation(asked.url.query)?, caller))
    }
}

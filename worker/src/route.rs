//! Which shards a task goes to, and one answer out of theirs.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, FirstMembers, Member, MemberPage, Outcome, Refusal};
use webpubsub_service::{Part, ShardRange, Task, Work, object_name};
use webpubsub_shard::ShardId;
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::http::Asked;
use crate::objects::{Objects, Question, forward_to_shard};
use crate::platform::{Error, Result};
use crate::task::Settled;
use crate::{http, log};

/// The answer to a request.
pub(crate) enum Answer {
    Here(Response),
    /// What a shard makes of the request, which it received with its body.
    Shards(Promise),
}

thread_local! {
    /// Answers a request of the REST API, of which a method and an error are left.
    static FAILED: JsValue = Closure::<dyn Fn(JsValue, String) -> Settled>::new(|error, method: String| {
        log::failure("asking a shard", &Error::from(error));
        Ok(http::rest(rest::refuse(&Refusal::Internal, &method))?.into())
    })
    .into_js_value();
}

/// Shards of a hub.
#[derive(Clone, Copy)]
pub(crate) struct Shards<'a> {
    pub(crate) env: &'a Env,
    pub(crate) hub: &'a HubName,
    pub(crate) range: ShardRange,
}

impl Shards<'_> {
    /// Forwards the raw request to one shard. Resolves with its answer, or with one that says that it
    /// has failed.
    pub(crate) fn forward(self, shard: ShardId, request: &Request) -> Promise {
        FAILED.with(|failed| forward_to_shard(self.env, &object_name(self.hub, shard), request, failed))
    }

    /// Makes the same request of all these shards, through each other where they are many; one answer
    /// out of theirs and of those that are there already.
    pub(crate) async fn gather(
        self,
        task: &Task,
        Asked { request, method, url, .. }: Asked<'_>,
        mut answers: Vec<Response>,
    ) -> Result<Response> {
        if matches!(task.work, Work::Deliver { .. })
            && let Err(refusal) = http::content_kind(request)?
        {
            return http::rest(rest::refuse(&refusal, method));
        }
        let bytes = if task.work.needs_body() {
            match http::message_body(request, None).await? {
                Ok(bytes) => bytes,
                Err(refusal) => return http::rest(rest::refuse(&refusal, method)),
            }
        } else {
            Uint8Array::new_with_length(0)
        };
        // Only a POST has a body here, and a request that must not have one cannot have an empty one.
        let body = if method == "POST" { bytes.clone().into() } else { JsValue::UNDEFINED };
        let names = self.range.asked().map(|shard| object_name(self.hub, shard)).collect();
        let headers = request.headers();
        let path = self.range.address(url.path_and_query());
        let question = Question { path: &path, method, headers: &headers, body };
        answers.extend(Objects::shards(self.env)?.ask(names, question).await?);
        http::free_bytes(&bytes);

        let parts = answers.iter().map(|answer| Part::of_status(answer.status()));
        let decisive = task.success.decisive(parts).ok_or_else(|| Error::new("no shard answered"))?;
        let answer = answers.swap_remove(decisive);
        let Work::List { page, .. } = &task.work else { return Ok(answer) };
        if answer.status() != 200 {
            return Ok(answer);
        }
        answers.push(answer);
        let mut first = FirstMembers::of(page.wanted());
        for answer in &answers {
            members(answer).await?.into_iter().for_each(|member| first.take(member));
        }
        let page = MemberPage { members: first.into_members(), next_link: None };
        http::rest(rest::respond(Outcome::Members(page)))
    }
}

/// The members that a shard lists.
pub(crate) async fn members(answer: &Response) -> Result<Vec<Member>> {
    let members = MemberPage::members_of(&http::body_text(answer.text()).await?);
    members.ok_or_else(|| Error::new("a shard's list is no page"))
}

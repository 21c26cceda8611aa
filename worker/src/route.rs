//! Which shards a task goes to, and one answer out of theirs.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use webpubsub_hub::{ShardNumber, ShardRange, Task, TaskPlace, Work};
use webpubsub_protocol::name::HubName;
use webpubsub_protocol::rest::{self, FirstMembers, Member, MemberPage, Outcome};
use webpubsub_protocol::url::RequestUrl;
use worker::Env;
use worker::web_sys::{Request, Response};

use crate::config::object_name;
use crate::http;
use crate::objects::{Objects, Question};
use crate::platform::{Error, Result};

/// Shards of a hub.
#[derive(Clone, Copy)]
pub(crate) struct Shards<'a> {
    pub(crate) env: &'a Env,
    pub(crate) hub: &'a HubName,
    pub(crate) range: ShardRange,
}

impl Shards<'_> {
    /// Has a task carried out: the raw request is handed on where one shard sees it, and its body is
    /// read once where several do.
    pub(crate) async fn carry_out(
        self,
        task: &Task,
        request: &Request,
        url: RequestUrl<'_>,
    ) -> Result<Response> {
        if let Some(number) = self.only(&task.place) {
            let name = object_name(self.hub, number);
            return Objects::shards(self.env)?.hand(&name, request).await;
        }
        self.gather(task, request, url, Vec::new()).await
    }

    /// Makes the same request of all these shards, through each other where they are many; one answer
    /// out of theirs and of those that are there already.
    pub(crate) async fn gather(
        self,
        task: &Task,
        request: &Request,
        url: RequestUrl<'_>,
        mut answers: Vec<Response>,
    ) -> Result<Response> {
        let method = request.method();
        if matches!(task.work, Work::Deliver { .. })
            && let Err(refusal) = http::content_kind(request)?
        {
            return http::rest(rest::refuse(&refusal, &method));
        }
        let bytes = if task.work.needs_body() {
            match http::message_body(request).await? {
                Ok(bytes) => bytes,
                Err(refusal) => return http::rest(rest::refuse(&refusal, &method)),
            }
        } else {
            Uint8Array::new_with_length(0)
        };
        // Only a POST has a body here, and a request that must not have one cannot have an empty one.
        let body = if method == "POST" { bytes.clone().into() } else { JsValue::UNDEFINED };
        let names = self.range.asked().map(|shard| object_name(self.hub, shard)).collect();
        let headers = request.headers();
        let path = self.range.address(url.path_and_query());
        let question = Question { path: &path, method: &method, headers: &headers, body };
        answers.extend(Objects::shards(self.env)?.ask(names, question).await?);
        http::free_bytes(&bytes);

        let decisive = task.success.decisive(answers.iter().map(Response::status));
        if decisive >= answers.len() {
            return Err(Error::new("no shard answered"));
        }
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

    /// The one shard that a task goes to, if it is one.
    fn only(self, place: &TaskPlace) -> Option<ShardNumber> {
        match place {
            TaskPlace::HolderOf(connection) => {
                // Any shard can say that it does not know an id which none of them made.
                let shard = ShardNumber::of(connection).filter(|shard| self.range.has(*shard));
                Some(shard.unwrap_or(ShardNumber(0)))
            }
            TaskPlace::Everywhere => (!self.range.has(ShardNumber(1))).then_some(ShardNumber(0)),
        }
    }
}

/// The members that a shard lists.
pub(crate) async fn members(answer: &Response) -> Result<Vec<Member>> {
    let members = MemberPage::members_of(&http::body_text(answer.text()).await?);
    members.ok_or_else(|| Error::new("a shard's list is no page"))
}

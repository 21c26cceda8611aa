//! A chat page in Rust, with Yew: who is there, what they say, and a line to write in.

use std::rc::Rc;

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::HtmlInputElement;
use webpubsub::{Credential, Event, WebPubSubClient};
use yew::platform::spawn_local;
use yew::prelude::*;

const GROUP: &str = "chat";

/// What somebody has said.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Line {
    from: String,
    text: String,
}

/// What the page shows.
#[derive(Clone, Default, PartialEq)]
struct Chat {
    me: Option<String>,
    status: String,
    members: Vec<String>,
    lines: Vec<Line>,
}

enum Change {
    Me(Option<String>),
    Status(String),
    Members(Vec<String>),
    Line(Line),
}

impl Reducible for Chat {
    type Action = Change;

    fn reduce(self: Rc<Self>, change: Change) -> Rc<Self> {
        let mut chat = (*self).clone();
        match change {
            Change::Me(me) => chat.me = me,
            Change::Status(status) => chat.status = status,
            Change::Members(members) => chat.members = members,
            Change::Line(line) => chat.lines.push(line),
        }
        Rc::new(chat)
    }
}

/// Joins the chat and passes on what happens, until the page goes.
async fn follow(client: WebPubSubClient, chat: UseReducerDispatcher<Chat>) {
    let mut events = client.events();
    if let Err(error) = client.start().await {
        return chat.dispatch(Change::Status(error.to_string()));
    }
    while let Some(event) = events.next().await {
        match event {
            Event::Connected { user_id, .. } => {
                chat.dispatch(Change::Status("connected".to_owned()));
                chat.dispatch(Change::Me(user_id));
                let (client, chat) = (client.clone(), chat.clone());
                // Its answers come while the events are read.
                spawn_local(async move {
                    if let Err(error) = enter(&client).await {
                        chat.dispatch(Change::Status(error.to_string()));
                    }
                });
            }
            Event::Message(message) => {
                if let Ok(line) = message.json() {
                    chat.dispatch(Change::Line(line));
                }
            }
            Event::GroupStatesChanged { group } => {
                let members = client.list_group_states(&group).unwrap_or_default();
                let names = members.into_iter().filter_map(|member| member.user_id);
                chat.dispatch(Change::Members(names.collect()));
            }
            Event::Recovering { .. } => chat.dispatch(Change::Status("the link is lost".to_owned())),
            Event::Recovered { .. } => chat.dispatch(Change::Status("connected".to_owned())),
            _ => {}
        }
    }
}

/// What belongs to a connection: being a member, and being seen.
async fn enter(client: &WebPubSubClient) -> Result<(), webpubsub::SendError> {
    client.join_group(GROUP).await?;
    client.set_group_state(GROUP, [("status", "here")]).await?;
    client.subscribe_group_states(GROUP).await?;
    Ok(())
}

#[component]
fn Page() -> Html {
    let client = use_memo((), |()| {
        WebPubSubClient::builder(Credential::negotiate("/negotiate")).build().expect("the options are good")
    });
    let chat = use_reducer(Chat::default);
    let input = use_node_ref();
    use_effect_with((), {
        let (client, dispatcher) = (client.clone(), chat.dispatcher());
        move |()| spawn_local(follow((*client).clone(), dispatcher))
    });
    let say = {
        let (client, chat, input) = (client.clone(), chat.clone(), input.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let (Some(input), Some(from)) = (input.cast::<HtmlInputElement>(), chat.me.clone()) else {
                return;
            };
            let line = Line { from, text: input.value() };
            input.set_value("");
            let (client, dispatcher) = (client.clone(), chat.dispatcher());
            spawn_local(async move {
                if let Err(error) = client.send_to_group_json(GROUP, &line).await {
                    dispatcher.dispatch(Change::Status(error.to_string()));
                }
            });
        })
    };
    html! {
        <main>
            <p id="status">{ &chat.status }</p>
            <ul id="members">{ for chat.members.iter().map(|name| html! { <li>{ name }</li> }) }</ul>
            <ol id="lines">
                { for chat.lines.iter().map(|line| html! { <li><b>{ &line.from }</b>{ ": " }{ &line.text }</li> }) }
            </ol>
            <form onsubmit={say}><input ref={input} aria-label="What to say" /><button>{ "Say" }</button></form>
        </main>
    }
}

/// Shows the page.
#[wasm_bindgen(start)]
pub fn start() {
    yew::Renderer::<Page>::new().render();
}

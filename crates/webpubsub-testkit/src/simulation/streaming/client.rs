//! A client: a session, its streams and states, and the application behind them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use webpubsub_client_core::{
    AttemptId, Close, CommandId, Delivery, GroupStates, InboundStreams, OutboundStreams, Receipt, SendError,
    Session,
};
use webpubsub_protocol::client::{
    DownstreamMessage, Encoding, Frame, GroupState, GroupStateAction, StreamError, Subprotocol,
};
use webpubsub_protocol::data::MessageData;
use webpubsub_protocol::name::GroupName;
use webpubsub_shard::{ConnectRequest, Slot};

use super::seen::Received;
use crate::simulation::random::Random;
use crate::simulation::words::{GROUPS, group_name, user_id};

pub(super) type Input = webpubsub_client_core::Input<MessageData, DownstreamMessage, StateRequest>;
pub(super) type Output = webpubsub_client_core::Output<MessageData, DownstreamMessage, StateRequest>;
pub(super) type Operation = webpubsub_client_core::Operation<MessageData, StateRequest>;

/// What a client asks for about the states of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StateRequest {
    pub(super) group: GroupName,
    pub(super) action: GroupStateAction,
}

/// One piece of a stream, by its number in the stream and in its payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) number: u64,
    pub(super) payload: u64,
}

/// On its way to a client.
#[derive(Debug)]
pub(super) enum Down {
    Frame(Frame),
    Closed(Close),
}

/// A client's open socket.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) attempt: AttemptId,
    pub(super) shard: usize,
    /// `None` once the service has no more of it.
    pub(super) slot: Option<Slot>,
    pub(super) up: VecDeque<Frame>,
    pub(super) down: VecDeque<Down>,
}

/// A client: a session, its streams and states, and the application behind them.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) request: ConnectRequest,
    pub(super) session: Session<MessageData, DownstreamMessage, StateRequest>,
    pub(super) outbound: OutboundStreams<MessageData>,
    pub(super) inbound: InboundStreams<Piece, StreamError>,
    /// What members show: the text that each has set.
    pub(super) states: GroupStates<String>,
    pub(super) inputs: VecDeque<Input>,
    pub(super) started: bool,
    pub(super) socket: Option<Socket>,
    /// The connection's id, while there is one.
    pub(super) connection: Option<String>,
    /// Which of its connections it is: 1, 2, 3, …
    pub(super) connections: u32,
    commands: u32,
    pub(super) operations: BTreeMap<u32, StateRequest>,
    /// Calls about streams, with the streams that they are about.
    pub(super) calls: BTreeMap<u32, usize>,
    pub(super) receiving: BTreeMap<u32, Received>,
    /// Groups whose states it may not be subscribed to without knowing it: what failed may have been done.
    doubtful: BTreeSet<String>,
    /// Groups whose states it may have been unsubscribed from on this connection.
    unsubscribed: BTreeSet<String>,
    /// What it may show in each group: what was set last, and what may have been set since.
    shown: Vec<BTreeSet<String>>,
}

impl Client {
    pub(super) fn new(random: &mut Random) -> Self {
        use Subprotocol::{Json, JsonReliable, ProtobufReliable};
        let subprotocol = random.pick(&[JsonReliable, JsonReliable, ProtobufReliable, Json]);
        let roles = ["webpubsub.sendToGroup", "webpubsub.joinLeaveGroup"].map(str::to_owned);
        let request = ConnectRequest {
            user: Some(user_id(0)),
            roles: roles.to_vec(),
            groups: (0..GROUPS.len() as u8).map(group_name).collect(),
            subprotocol,
            ..ConnectRequest::default()
        };
        let options = webpubsub_client_core::Options { subprotocol, ..Default::default() };
        Self {
            request,
            session: Session::new(options),
            outbound: OutboundStreams::default(),
            inbound: InboundStreams::default(),
            states: GroupStates::default(),
            inputs: VecDeque::new(),
            started: false,
            socket: None,
            connection: None,
            connections: 0,
            commands: 0,
            operations: BTreeMap::new(),
            calls: BTreeMap::new(),
            receiving: BTreeMap::new(),
            doubtful: BTreeSet::new(),
            unsubscribed: BTreeSet::new(),
            shown: vec![BTreeSet::from([String::new()]); GROUPS.len()],
        }
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.request.subprotocol.encoding().unwrap_or(Encoding::Json)
    }

    pub(super) fn command(&mut self) -> CommandId {
        self.commands += 1;
        CommandId(self.commands)
    }

    pub(super) fn start_or_stop(&mut self) {
        let input = if self.started { Input::Stop } else { Input::Start { id: self.command() } };
        self.started = !self.started;
        self.inputs.push_back(input);
    }

    /// The application does something about the states of a group.
    pub(super) fn change_state(&mut self, group: u8, action: GroupStateAction) {
        let message = StateRequest { group: group_name(group), action };
        let id = self.command();
        if message.action == GroupStateAction::Subscribe {
            self.states.subscribing(message.group.as_str());
        }
        self.operations.insert(id.0, message.clone());
        let delivery = Delivery::Acknowledged { ack_id: None };
        let operation = Operation::Other { message, delivery };
        self.inputs.push_back(Input::Operate { id, operation });
    }

    /// Whether an operation was done, as the client's states learn it.
    pub(super) fn settled(&mut self, id: CommandId, result: &Result<Receipt, SendError>) {
        let Some(StateRequest { group, action }) = self.operations.remove(&id.0) else { return };
        let (name, is_done) = (group.as_str(), result.is_ok());
        match action {
            GroupStateAction::Set(state) => {
                let text = text_of(&state);
                let shown =
                    GROUPS.iter().position(|known| *known == name).and_then(|at| self.shown.get_mut(at));
                let Some(shown) = shown else { return };
                if is_done {
                    shown.clear();
                    self.states.set(name, Some(text.clone()).filter(|text| !text.is_empty()));
                }
                shown.insert(text);
            }
            GroupStateAction::Subscribe => {
                self.states.subscribed(name, is_done);
                if is_done {
                    self.doubtful.remove(name);
                } else {
                    self.doubtful.insert(name.to_owned());
                }
            }
            GroupStateAction::Unsubscribe => {
                self.unsubscribed.insert(name.to_owned());
                if is_done {
                    self.states.unsubscribed(name);
                } else {
                    self.doubtful.insert(name.to_owned());
                }
            }
        }
    }

    /// What it knows of the members of a group, if it is subscribed for sure.
    pub(super) fn view(&self, group: &str) -> Option<Vec<String>> {
        let listed = self.states.list(group).ok().filter(|_| !self.doubtful.contains(group))?;
        Some(listed.cloned().collect())
    }

    /// Whether it may see what ended while it was not subscribed, that of a member that is still there too: an
    /// update of an earlier subscription counts against the snapshots of 5 minutes. It is still known if it comes
    /// late, or if the unsubscription failed for the client, and was done.
    ///
    /// Source: docs/spec/sdk.md#group-states.
    pub(super) fn may_see_what_ended(&self, group: &str) -> bool {
        self.unsubscribed.contains(group)
    }

    /// The connection is lost for good: it shows nothing.
    pub(super) fn lost(&mut self) {
        self.connection = None;
        self.states.lost();
        self.doubtful.clear();
        self.unsubscribed.clear();
        self.shown.iter_mut().for_each(|shown| *shown = BTreeSet::from([String::new()]));
    }

    /// Whether a member may show this in a group; an empty text is nothing.
    pub(super) fn may_show(&self, group: usize, text: &str) -> bool {
        self.shown[group].contains(text)
    }
}

/// The text that a state has; empty for none.
pub(super) fn text_of(state: &GroupState) -> String {
    state.iter().map(|(_, value)| value.into_owned()).collect()
}

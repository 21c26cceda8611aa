//! One publish to many connections: encoded once for each way of speaking.

use webpubsub_protocol::client::json::DataFrame;
use webpubsub_protocol::client::{Frame, Origin, simple};
use webpubsub_protocol::data::{MessageData, Metadata};

use crate::connection::{Slot, Speech};
use crate::directory::Directory;
use crate::output::{Change, Output};
use crate::reliable::{Log, bitmap};

/// A message for many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    /// Where it comes from.
    pub(crate) from: Origin,
    /// Its payload.
    pub(crate) data: MessageData,
    /// What rides beside it.
    pub(crate) metadata: Metadata,
}

/// Sends a message to these connections, in at most three outputs, after one row of the log if a
/// reliable connection is among them.
pub(crate) fn fan_out(
    directory: &mut Directory,
    log: &mut Log,
    to: impl IntoIterator<Item = Slot>,
    publish: &Publish,
    outputs: &mut Vec<Output>,
) {
    let (mut simple, mut json, mut numbered) = (Vec::new(), Vec::new(), Vec::new());
    for slot in to {
        let Some(connection) = directory.get_mut(slot) else { continue };
        match &mut connection.speech {
            Speech::Simple(_) => simple.push(slot),
            Speech::Json => json.push(slot),
            Speech::JsonReliable(sequence) => numbered.push((slot, sequence.next())),
        }
    }
    if !numbered.is_empty() {
        let recipients = bitmap(numbered.iter().map(|(slot, _)| *slot));
        outputs.push(Output::Store(Change::Log { row: log.next(), recipients }));
        if log.is_long() {
            bring_bases_forward(directory, log, outputs);
        }
    }
    if !simple.is_empty() {
        outputs.push(Output::Send { to: simple, frame: simple::encode(&publish.data) });
    }
    if json.is_empty() && numbered.is_empty() {
        return;
    }
    let frame = DataFrame::new(&publish.from, &publish.data, &publish.metadata);
    if !json.is_empty() {
        outputs.push(Output::Send { to: json, frame: Frame::Text(frame.with(None)) });
    }
    if !numbered.is_empty() {
        outputs.push(Output::SendNumbered { to: numbered, frame });
    }
}

/// Writes every reliable connection's count, so that the log's rows are needed no more.
fn bring_bases_forward(directory: &Directory, log: &mut Log, outputs: &mut Vec<Output>) {
    for (slot, connection) in directory.iter() {
        if let Speech::JsonReliable(sequence) = &connection.speech {
            let (row, received) = (log.newest(), sequence.count());
            outputs.push(Output::Store(Change::Rebase { slot, row, received }));
        }
    }
    outputs.push(Output::Store(Change::TrimLog(log.newest())));
    log.trim();
}

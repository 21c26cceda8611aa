//! Groups joined or left, without waiting for an ack before the next.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{Cost, Meter, PATIENCE};
use crate::client::{Client, Event, open_all};
use crate::dialect::Incoming;
use crate::error::LoadError;
use crate::figures::Figures;
use crate::plan::{Membership, Plan};

/// Acks that are still to come, over all clients.
#[derive(Default)]
struct Acks {
    missing: Cell<usize>,
    refused: Cell<Option<u64>>,
    closed: Cell<Option<String>>,
    all: Notify,
}

impl Acks {
    fn receive(&self, event: Event) {
        match event {
            Ok(Incoming::Ack { done: true, .. }) => self.missing.set(self.missing.get().saturating_sub(1)),
            Ok(Incoming::Ack { id, done: false }) => self.refused.set(Some(id)),
            Ok(_) => return,
            Err(reason) => self.closed.set(Some(reason)),
        }
        if self.missing.get() == 0 {
            self.all.notify_one();
        }
    }

    /// Waits for all of them; fails when none has come for long.
    async fn wait(&self) -> Result<(), LoadError> {
        while self.missing.get() > 0 {
            let before = self.missing.get();
            let waited = timeout(PATIENCE, self.all.notified()).await;
            if let Some(reason) = self.closed.take() {
                return Err(LoadError::Closed(reason));
            }
            if waited.is_err() && self.missing.get() == before {
                return Err(LoadError::Late("an ack", PATIENCE.as_secs()));
            }
        }
        self.refused.get().map_or(Ok(()), |id| Err(LoadError::NotDone(id)))
    }
}

/// Joins or leaves, and measures.
pub(super) async fn run(plan: &Plan, workload: &Membership) -> Result<Figures, LoadError> {
    let acks = Rc::new(Acks::default());
    let on = {
        let acks = Rc::clone(&acks);
        Rc::new(move |_, event| acks.receive(event))
    };
    let clients = open_all(plan, 0..workload.clients, |_| Some(&workload.client), on).await?;
    let joins = |group: &str, ack| plan.dialect.join(group, ack);
    let leaves = |group: &str, ack| plan.dialect.leave(group, ack);
    if workload.leave {
        send(&clients, workload.groups, 1, &acks, joins)?;
        acks.wait().await?;
    }

    let meter = Meter::start(plan);
    let count = if workload.leave {
        send(&clients, workload.groups, 2, &acks, leaves)?
    } else {
        send(&clients, workload.groups, 1, &acks, joins)?
    };
    acks.wait().await?;
    let Cost { elapsed, cpu } = meter.stop();

    let mut figures = Figures::default();
    figures.rate("operations_per_second", count, elapsed);
    figures.cpu("cpu_us_per_operation", cpu, count);
    figures.set("took_ms", elapsed.as_secs_f64() * 1e3);
    Ok(figures)
}

/// Has each client send so many, one to each of its groups. Returns how many these are in all.
fn send(
    clients: &[Client],
    groups: usize,
    round: u64,
    acks: &Acks,
    message: impl Fn(&str, u64) -> Result<Message, LoadError>,
) -> Result<u64, LoadError> {
    let count = clients.len() * groups;
    acks.missing.set(count);
    for (number, client) in clients.iter().enumerate() {
        for (ack, group) in (round * 1_000_000..).zip(0..groups) {
            client.send(message(&format!("group-{number}-{group}"), ack)?);
        }
    }
    Ok(u64::try_from(count).unwrap_or(u64::MAX))
}

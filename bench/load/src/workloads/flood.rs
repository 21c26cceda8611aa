//! One client that sends without waiting, beside quiet ones: a client of its hub, a client of another
//! hub, and a server that publishes to its hub.
//!
//! Each quiet one does something at fixed moments, whether the last was answered or not, and its time
//! counts from that moment: what a stall delays is counted as often as it would have been done.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use super::{Cost, Meter};
use crate::client::{Client, Event};
use crate::dialect::{self, Incoming};
use crate::error::LoadError;
use crate::figures::{Figures, real};
use crate::plan::{Endpoint, Flood, Plan, Sent};
use crate::rest::Rest;
use crate::samples::Samples;

/// How far apart the quiet ones' operations are.
const EVERY: Duration = Duration::from_millis(10);
/// How long the payloads are.
const SIZE: usize = 16;
/// How many requests a server has open at once, at most.
const REQUESTS: usize = 64;
/// How often the flood's end is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The times of one quiet client or server.
#[derive(Default)]
struct Quiet {
    since: RefCell<BTreeMap<u64, Instant>>,
    times: RefCell<Samples>,
    trouble: RefCell<Option<LoadError>>,
}

impl Quiet {
    fn begin(&self, id: u64, since: Instant) {
        self.since.borrow_mut().insert(id, since);
    }

    fn end(&self, id: u64) {
        if let Some(since) = self.since.borrow_mut().remove(&id) {
            self.times.borrow_mut().add(since.elapsed());
        }
    }

    fn fail(&self, error: LoadError) {
        self.trouble.borrow_mut().get_or_insert(error);
    }

    fn receive(&self, event: Event) {
        match event {
            Ok(Incoming::Ack { id, done: true }) => self.end(id),
            Ok(Incoming::Ack { id, done: false }) => self.fail(LoadError::NotDone(id)),
            Ok(_) => {}
            Err(reason) => self.fail(LoadError::Closed(reason)),
        }
    }

    /// The times so far, once everything that has begun is answered.
    async fn settle(&self, patience: Duration) -> Result<Samples, LoadError> {
        let deadline = Instant::now() + patience;
        while !self.since.borrow().is_empty() {
            if let Some(trouble) = self.trouble.take() {
                return Err(trouble);
            }
            if Instant::now() > deadline {
                return Err(LoadError::Late("a quiet client's answer", patience.as_secs()));
            }
            sleep(LOOK_EVERY).await;
        }
        self.trouble.take().map_or_else(|| Ok(self.times.take()), Err)
    }
}

/// The quiet ones, at work until they are dropped.
struct Neighbours {
    quiet: [(&'static str, Rc<Quiet>); 3],
    /// How long their answers may take.
    patience: Duration,
    working: Rc<Cell<bool>>,
    _clients: [Rc<Client>; 2],
    _tasks: JoinSet<()>,
}

impl Neighbours {
    async fn open(plan: &Plan, workload: &Flood) -> Result<Self, LoadError> {
        let [same, other, rest] = [(); 3].map(|()| Rc::new(Quiet::default()));
        let working = Rc::new(Cell::new(true));
        let mut tasks = JoinSet::new();
        let mut clients = Vec::new();
        for (quiet, endpoint) in [(&same, &workload.client), (&other, &workload.other)] {
            let on = {
                let quiet = Rc::clone(quiet);
                move |event| quiet.receive(event)
            };
            let client = Rc::new(Client::open(plan, endpoint, on).await?);
            let dialect = plan.dialect;
            let (sender, quiet) = (Rc::clone(&client), Rc::clone(quiet));
            clients.push(client);
            tasks.spawn_local(regularly(Rc::clone(&working), move |id, since| {
                quiet.begin(id, since);
                match dialect.publish("quiet", dialect::numbered(0, SIZE), Some(id)) {
                    Ok(frame) => sender.send(frame),
                    Err(error) => quiet.fail(error),
                }
            }));
        }
        tasks.spawn_local(publish(
            plan.address.clone(),
            &workload.publish,
            Rc::clone(&rest),
            Rc::clone(&working),
        ));
        let clients = clients.try_into().map_err(|_| LoadError::Missing("client"))?;
        let quiet = [("same_hub_", same), ("other_hub_", other), ("rest_", rest)];
        let patience = Duration::from_secs_f64(workload.limit);
        Ok(Self { quiet, patience, working, _clients: clients, _tasks: tasks })
    }

    /// Notes the times since the last call.
    async fn note(&self, figures: &mut Figures, when: &str) -> Result<(), LoadError> {
        self.working.set(false);
        for (who, quiet) in &self.quiet {
            figures.latency(&format!("{who}{when}"), &quiet.settle(self.patience).await?);
        }
        self.working.set(true);
        Ok(())
    }
}

/// Calls `work` with a number and the moment, at fixed moments.
async fn regularly(working: Rc<Cell<bool>>, work: impl Fn(u64, Instant)) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for id in 1.. {
        let due = ticks.tick().await;
        if working.get() {
            work(id, due);
        }
    }
}

/// Publishes over HTTP at fixed moments, as many requests at once as that takes.
fn publish(
    address: String,
    endpoint: &Endpoint,
    quiet: Rc<Quiet>,
    working: Rc<Cell<bool>>,
) -> impl Future<Output = ()> + use<> {
    let endpoint =
        Rc::new(Endpoint { path: endpoint.path.clone(), headers: endpoint.headers.clone(), topic: None });
    let idle: Rc<RefCell<Vec<Rest>>> = Rc::default();
    let turns = Rc::new(Semaphore::new(REQUESTS));
    regularly(working, move |id, since| {
        quiet.begin(id, since);
        let (address, endpoint, idle) = (address.clone(), Rc::clone(&endpoint), Rc::clone(&idle));
        let (quiet, turns) = (Rc::clone(&quiet), Rc::clone(&turns));
        tokio::task::spawn_local(async move {
            let _turn = turns.acquire().await;
            let kept = idle.borrow_mut().pop();
            let mut rest = match kept {
                Some(rest) => rest,
                None => match Rest::open(&address).await {
                    Ok(rest) => rest,
                    Err(error) => return quiet.fail(error),
                },
            };
            match rest.publish(&endpoint, dialect::body(0, SIZE)).await {
                Ok(()) => quiet.end(id),
                Err(error) => quiet.fail(error),
            }
            idle.borrow_mut().push(rest);
        });
    })
}

/// Floods, and measures the quiet ones before and meanwhile.
pub(super) async fn run(plan: &Plan, workload: &Flood) -> Result<Figures, LoadError> {
    let mut figures = Figures::default();
    let neighbours = Neighbours::open(plan, workload).await?;
    sleep(Duration::from_secs_f64(plan.warm_up)).await;
    neighbours.note(&mut Figures::default(), "").await?;
    sleep(Duration::from_secs_f64(plan.seconds)).await;
    neighbours.note(&mut figures, "quiet_").await?;

    let acks = Rc::new(Cell::new(match workload.what {
        Sent::Joins | Sent::Publishes => workload.frames,
        Sent::Events => 1,
    }));
    let closed: Rc<RefCell<Option<String>>> = Rc::default();
    let over = Rc::new(Notify::new());
    let on = {
        let (acks, closed, over) = (Rc::clone(&acks), Rc::clone(&closed), Rc::clone(&over));
        move |event: Event| {
            match event {
                Ok(Incoming::Ack { .. }) => acks.set(acks.get().saturating_sub(1)),
                Ok(_) => return,
                Err(reason) => drop(closed.replace(Some(reason))),
            }
            if acks.get() == 0 || closed.borrow().is_some() {
                over.notify_one();
            }
        }
    };
    let flooder = Client::open(plan, &workload.client, on).await?;
    let frames = frames(plan, workload)?;
    let meter = Meter::start(plan);
    frames.into_iter().for_each(|frame| flooder.send(frame));
    let ended = timeout(neighbours.patience, over.notified()).await.is_ok();
    let Cost { elapsed, cpu } = meter.stop();
    neighbours.note(&mut figures, "flooded_").await?;
    if !ended {
        return Err(LoadError::Late("the flood's end", elapsed.as_secs()));
    }
    let count = u64::try_from(workload.frames).unwrap_or(u64::MAX);
    figures.set("took_ms", elapsed.as_secs_f64() * 1e3);
    figures.set("unacknowledged", real(u64::try_from(acks.get()).unwrap_or(u64::MAX)));
    figures.set("closed", f64::from(u8::from(closed.borrow().is_some())));
    figures.cpu("cpu_us_per_operation", cpu, count);
    Ok(figures)
}

fn frames(plan: &Plan, workload: &Flood) -> Result<Vec<tokio_tungstenite::tungstenite::Message>, LoadError> {
    let dialect = plan.dialect;
    let count = u64::try_from(workload.frames).unwrap_or(u64::MAX);
    let frame = |ack: u64| {
        let data = || dialect::numbered(0, SIZE);
        match workload.what {
            Sent::Joins => dialect.join(&format!("flooded-{ack}"), ack),
            Sent::Publishes => dialect.publish("deserted", data(), Some(ack)),
            Sent::Events => dialect.event(data(), (ack == count).then_some(ack)),
        }
    };
    (1..=count).map(frame).collect()
}

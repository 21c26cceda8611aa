//! Messages to members of groups.
//!
//! So many messages are on their way at once: the next one is published when one has arrived at all
//! its receivers, is acknowledged, and, over HTTP, answered.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::sync::{Mutex, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};

use super::PATIENCE;
use crate::client::{Client, Event, open_all};
use crate::dialect::{self, Incoming};
use crate::error::LoadError;
use crate::figures::{Figures, real};
use crate::plan::{By, Plan, Publish};
use crate::process::ProcessTree;
use crate::rest::Rest;
use crate::samples::Samples;
use crate::tally::{Delivery, Tally};

/// How long to wait for what should not come.
const AFTERWARDS: Duration = Duration::from_millis(50);

/// Everything that is on its way, and what has arrived.
struct Traffic {
    tally: RefCell<Tally>,
    messages: RefCell<Vec<OnItsWay>>,
    deliveries: RefCell<Samples>,
    trouble: RefCell<Option<LoadError>>,
}

struct OnItsWay {
    since: Instant,
    done: Option<oneshot::Sender<()>>,
}

impl Traffic {
    fn new(workload: &Publish) -> Rc<Self> {
        let groups = workload.groups.len().max(1);
        Rc::new(Self {
            tally: RefCell::new(Tally::new((0..workload.members).map(|member| member % groups).collect())),
            messages: RefCell::default(),
            deliveries: RefCell::default(),
            trouble: RefCell::default(),
        })
    }

    /// A message that is being published; what it resolves when it has arrived.
    fn publish(&self, group: usize, answers: u32, since: Instant) -> (usize, oneshot::Receiver<()>) {
        let (done, arrived) = oneshot::channel();
        self.messages.borrow_mut().push(OnItsWay { since, done: Some(done) });
        (self.tally.borrow_mut().publish(group, answers), arrived)
    }

    /// What a member has received.
    fn receive(&self, member: usize, event: Event) {
        match event {
            Ok(Incoming::Message { number, .. }) => {
                if let Delivery::First { completes } = self.tally.borrow_mut().receive(member, number) {
                    if let Some(message) = self.messages.borrow().get(number) {
                        self.deliveries.borrow_mut().add(message.since.elapsed());
                    }
                    self.finish(number, completes);
                }
            }
            Ok(Incoming::Ack { id, done }) => self.acknowledge(id, done),
            Ok(Incoming::Greeting { .. } | Incoming::Reply(_) | Incoming::Other) => {}
            Err(reason) => self.fail(LoadError::Closed(reason)),
        }
    }

    fn acknowledge(&self, id: u64, done: bool) {
        match usize::try_from(id) {
            Ok(number) if done => self.answer(number),
            _ => self.fail(LoadError::NotDone(id)),
        }
    }

    /// An ack or an answer of a publish.
    fn answer(&self, number: usize) {
        let completes = self.tally.borrow_mut().answer(number);
        self.finish(number, completes);
    }

    fn finish(&self, number: usize, completes: bool) {
        if !completes {
            return;
        }
        if let Some(done) = self.messages.borrow_mut().get_mut(number).and_then(|message| message.done.take())
        {
            // Nobody waits any longer for one that is late.
            let _ = done.send(());
        }
    }

    fn fail(&self, error: LoadError) {
        self.trouble.borrow_mut().get_or_insert(error);
    }
}

/// Publishes until a moment, so many at once from each publisher.
struct Publishers<'a> {
    plan: &'a Plan,
    workload: &'a Publish,
    traffic: Rc<Traffic>,
    members: Vec<Client>,
    outsider: Option<Client>,
    ticks: Option<Mutex<Interval>>,
    late: Cell<bool>,
}

impl Publishers<'_> {
    async fn publish_for(&self, seconds: f64) -> Result<(), LoadError> {
        let until = Instant::now() + Duration::from_secs_f64(seconds);
        let windows = self.workload.window;
        match self.workload.by {
            By::Rest => try_join_all((0..windows).map(|first| self.over_http(first, until))).await.map(drop),
            By::Member | By::Outsider => {
                let groups = self.workload.groups.iter().enumerate();
                let all = groups.flat_map(|(group, name)| (0..windows).map(move |_| (group, name)));
                try_join_all(all.map(|(group, name)| self.over_socket(group, name, until))).await.map(drop)
            }
        }
    }

    async fn over_http(&self, first: usize, until: Instant) -> Result<(), LoadError> {
        let mut rest = Rest::open(&self.plan.address).await?;
        let mut group = first % self.workload.groups.len().max(1);
        while let Some(since) = self.next(until).await {
            let endpoint = self.workload.publish.get(group).ok_or(LoadError::Missing("publish"))?;
            let (number, arrived) = self.traffic.publish(group, 1, since);
            rest.publish(endpoint, dialect::body(number, self.workload.size)).await?;
            self.traffic.answer(number);
            self.arrival(arrived).await;
            group = (group + 1) % self.workload.groups.len().max(1);
        }
        Ok(())
    }

    async fn over_socket(&self, group: usize, name: &str, until: Instant) -> Result<(), LoadError> {
        let publisher = match self.workload.by {
            By::Outsider => self.outsider.as_ref(),
            By::Rest | By::Member => self.members.get(group),
        };
        let publisher = publisher.ok_or(LoadError::Missing("publisher"))?;
        while let Some(since) = self.next(until).await {
            let (number, arrived) = self.traffic.publish(group, u32::from(self.workload.acks), since);
            let ack = self.workload.acks.then(|| u64::try_from(number).unwrap_or(u64::MAX));
            let data = dialect::numbered(number, self.workload.size);
            publisher.send(self.plan.dialect.publish(name, data, ack)?);
            self.arrival(arrived).await;
        }
        Ok(())
    }

    /// When the next message is published: at once, or with the next tick; `None` when it is time to end.
    async fn next(&self, until: Instant) -> Option<Instant> {
        if let Some(ticks) = &self.ticks {
            ticks.lock().await.tick().await;
        }
        let now = Instant::now();
        (now < until && !self.late.get() && self.traffic.trouble.borrow().is_none()).then_some(now)
    }

    async fn arrival(&self, arrived: oneshot::Receiver<()>) {
        if timeout(PATIENCE, arrived).await.is_err() {
            self.late.set(true);
        }
    }
}

/// Publishes and measures.
pub(super) async fn run(plan: &Plan, workload: &Publish) -> Result<Figures, LoadError> {
    let traffic = Traffic::new(workload);
    let on = {
        let traffic = Rc::clone(&traffic);
        Rc::new(move |member, event| traffic.receive(member, event))
    };
    let groups = workload.clients.len().max(1);
    let members =
        open_all(plan, workload.members, |member| workload.clients.get(member % groups), on).await?;
    let outsider = match (&workload.outsider, workload.by) {
        (Some(endpoint), By::Outsider) => {
            let traffic = Rc::clone(&traffic);
            let on = move |event| match event {
                Ok(Incoming::Ack { id, done }) => traffic.acknowledge(id, done),
                Ok(_) => {}
                Err(reason) => traffic.fail(LoadError::Closed(reason)),
            };
            Some(Client::open(plan, endpoint, on).await?)
        }
        _ => None,
    };
    let ticks = workload.rate.map(|rate| {
        let mut ticks = interval(Duration::from_secs_f64(1.0 / rate));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Mutex::new(ticks)
    });
    let publishers = Publishers {
        plan,
        workload,
        traffic: Rc::clone(&traffic),
        members,
        outsider,
        ticks,
        late: Cell::new(false),
    };

    publishers.publish_for(plan.warm_up).await?;
    traffic.deliveries.take();
    let counts = || (traffic.tally.borrow().published(), traffic.tally.borrow().delivered());
    let server = ProcessTree(plan.pid);
    let (cpu, started, before) = (server.cpu(), Instant::now(), counts());
    publishers.publish_for(plan.seconds).await?;
    let (elapsed, after) = (started.elapsed(), counts());
    let cpu = server.cpu().zip(cpu).map(|(after, before)| after.saturating_sub(before));
    tokio::time::sleep(AFTERWARDS).await;
    if let Some(trouble) = traffic.trouble.take() {
        return Err(trouble);
    }

    let mut figures = Figures::default();
    let (published, delivered) = (after.0 - before.0, after.1 - before.1);
    figures.rate("publishes_per_second", published, elapsed);
    figures.rate("deliveries_per_second", delivered, elapsed);
    figures.cpu("cpu_us_per_publish", cpu, published);
    figures.cpu("cpu_us_per_delivery", cpu, delivered);
    figures.latency("", &traffic.deliveries.borrow());
    figures.set("lost", real(traffic.tally.borrow().lost()));
    figures.set("doubled", real(traffic.tally.borrow().doubled()));
    Ok(figures)
}

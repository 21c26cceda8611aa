//! What can be done to a server.

mod connect;
mod crowd;
mod events;
mod flood;
mod membership;
mod publish;
mod replay;
mod traffic;

use std::time::Duration;

use tokio::time::Instant;

use crate::error::LoadError;
use crate::figures::Figures;
use crate::plan::{Plan, Workload};
use crate::process::ProcessTree;

/// How long anything may take to come.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long to wait for what should not come.
const AFTERWARDS: Duration = Duration::from_millis(50);

/// Carries out the plan's workload.
pub(crate) async fn run(plan: &Plan) -> Result<Figures, LoadError> {
    match &plan.workload {
        Workload::Publish(workload) => publish::run(plan, workload).await,
        Workload::Crowd(workload) => crowd::run(plan, workload).await,
        Workload::Connect(workload) => connect::run(plan, workload).await,
        Workload::Membership(workload) => membership::run(plan, workload).await,
        Workload::Flood(workload) => flood::run(plan, workload).await,
        Workload::Events(workload) => events::run(plan, workload).await,
        Workload::Replay(workload) => replay::run(plan, workload).await,
    }
}

/// What a phase took: time, and the server's CPU time where it is known.
#[derive(Debug, Clone, Copy)]
struct Cost {
    elapsed: Duration,
    cpu: Option<Duration>,
}

/// Measures from its making on.
struct Meter {
    server: ProcessTree,
    cpu: Option<Duration>,
    started: Instant,
}

impl Meter {
    fn start(plan: &Plan) -> Self {
        let server = ProcessTree(plan.pid);
        Self { server, cpu: server.cpu(), started: Instant::now() }
    }

    fn stop(self) -> Cost {
        let elapsed = self.started.elapsed();
        let cpu = self.server.cpu().zip(self.cpu).map(|(after, before)| after.saturating_sub(before));
        Cost { elapsed, cpu }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use futures_util::{SinkExt, StreamExt};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
    use tokio::task::{LocalSet, spawn_local};
    use tokio_tungstenite::accept_async;
    use tokio_tungstenite::tungstenite::Message;

    use super::*;
    use crate::figures::real;

    type Members = Rc<RefCell<Vec<UnboundedSender<Message>>>>;

    /// A server that sends to all its clients what one of them sends, so many times. Returns where it listens.
    async fn serve(times: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let members = Members::default();
        spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let members = Rc::clone(&members);
                spawn_local(async move {
                    let (mut sink, mut stream) = accept_async(stream).await.unwrap().split();
                    let (out, mut queue) = unbounded_channel();
                    members.borrow_mut().push(out);
                    spawn_local(async move {
                        while let Some(message) = queue.recv().await {
                            let _ = sink.send(message).await;
                        }
                    });
                    while let Some(Ok(message)) = stream.next().await {
                        for member in members.borrow().iter() {
                            (0..times).for_each(|_| drop(member.send(message.clone())));
                        }
                    }
                });
            }
        });
        address
    }

    fn plan(address: &str, workload: &str) -> Plan {
        let pid = std::process::id();
        let head =
            format!(r#""address":"{address}","pid":{pid},"dialect":"raw","seconds":0.05,"warm_up":0.01"#);
        serde_json::from_str(&format!(r#"{{{head},"workload":{{{workload}}}}}"#)).unwrap()
    }

    fn measure(times: usize, workload: &str) -> Result<Figures, LoadError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async { run(&plan(&serve(times).await, workload)).await })
    }

    const PUBLISH: &str = r#""kind":"publish","by":"member","members":3,"groups":["g"],"clients":[{"path":"/"}],"window":4,"size":16"#;

    #[test]
    fn every_delivery_of_every_message_is_counted() {
        let figures = measure(1, PUBLISH).unwrap();
        assert_eq!((figures.get("lost"), figures.get("doubled")), (Some(0.0), Some(0.0)));
        let (deliveries, publishes) =
            (figures.get("deliveries_per_second").unwrap(), figures.get("publishes_per_second").unwrap());
        assert!(publishes > 0.0);
        assert!((deliveries / publishes - 3.0).abs() < 1e-9, "{figures}");
        assert!(figures.get("p50_ms").unwrap() <= figures.get("max_ms").unwrap());
    }

    #[test]
    fn what_comes_twice_is_counted_as_doubled() {
        let figures = measure(2, PUBLISH).unwrap();
        assert_eq!(figures.get("lost"), Some(0.0));
        assert!(figures.get("doubled").unwrap() > 0.0, "{figures}");
    }

    #[test]
    fn connections_are_counted_and_timed() {
        let figures = measure(1, r#""kind":"connect","client":{"path":"/"},"at_once":2"#).unwrap();
        assert!(figures.get("connections").unwrap() >= real(1), "{figures}");
        assert!(figures.get("connects_per_second").unwrap() > 0.0, "{figures}");
    }

    #[test]
    fn a_server_that_closes_a_connection_fails_the_workload() {
        let workload = r#""kind":"publish","by":"member","members":1,"groups":["g"],"clients":[{"path":"/"}],"window":1,"size":16"#;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = LocalSet::new().block_on(&runtime, async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            spawn_local(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let mut socket = accept_async(stream).await.unwrap();
                socket.next().await;
                let _ = socket.close(None).await;
            });
            run(&plan(&address, workload)).await
        });
        assert!(matches!(outcome, Err(LoadError::Closed(_))), "{outcome:?}");
    }
}

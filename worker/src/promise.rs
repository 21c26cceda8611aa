//! Rust's futures on JavaScript's promises.
//!
//! A future runs at once, and again each time a promise that it waits for has settled. Whatever needs
//! no promise costs none: no microtask, no closure, nothing for the garbage collector. A future here
//! waits for one promise at a time, so there is nothing to wake and no queue of those that are ready.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};

use crate::error::{Error, Result};

#[wasm_bindgen(module = "worker/js/drive.ts")]
extern "C" {
    fn drive(next: &JsValue, resume: JsValue) -> Promise;
}

/// What comes of a promise: a value, or what was thrown.
pub(crate) type Settled = std::result::Result<JsValue, JsValue>;

/// What passes between a future and [`advance`], which polls it: the promise that the future waits for, and
/// what that promise settled with.
enum Word {
    WaitFor(Promise),
    Settled(Settled),
}

thread_local! {
    static WORD: Cell<Option<Word>> = const { Cell::new(None) };
}

/// Waits for a promise.
pub(crate) async fn settled(promise: Promise) -> Settled {
    let mut promise = Some(promise);
    poll_fn(move |_| match promise.take() {
        Some(promise) => {
            WORD.set(Some(Word::WaitFor(promise)));
            Poll::Pending
        }
        None => match WORD.take() {
            Some(Word::Settled(settled)) => Poll::Ready(settled),
            Some(Word::WaitFor(_)) | None => Poll::Pending,
        },
    })
    .await
}

type Task = Pin<Box<dyn Future<Output = Result<JsValue>>>>;

/// Runs a future. Returns its value if it had to wait for nothing, and otherwise a promise of it.
pub(crate) fn run(future: impl Future<Output = Result<JsValue>> + 'static) -> Settled {
    let mut task = Some(Box::pin(future) as Task);
    let next = advance(&mut task)?;
    Ok(if task.is_some() { keep_running(task, &next).into() } else { next })
}

/// Runs a future once the caller has done what it is doing.
pub(crate) fn run_later(future: impl Future<Output = Result<JsValue>> + 'static) -> Promise {
    keep_running(Some(Box::pin(future)), &Promise::resolve(&JsValue::UNDEFINED))
}

fn keep_running(mut task: Option<Task>, first: &JsValue) -> Promise {
    let resume = Closure::<dyn FnMut(JsValue, bool) -> Settled>::new(move |value, failed| {
        let settled = if failed { Err(value) } else { Ok(value) };
        // The task's own value may be a promise, too.
        if task.is_none() {
            return settled;
        }
        WORD.set(Some(Word::Settled(settled)));
        advance(&mut task)
    });
    drive(first, resume.into_js_value())
}

/// Runs a task on. What it returns is a promise to wait for, and the value of a task that is over then.
fn advance(task: &mut Option<Task>) -> Settled {
    let Some(future) = task else { return Ok(JsValue::UNDEFINED) };
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => {
            *task = None;
            WORD.set(None);
            value.map_err(JsValue::from)
        }
        Poll::Pending => match WORD.take() {
            Some(Word::WaitFor(promise)) => Ok(promise.into()),
            Some(Word::Settled(_)) | None => {
                *task = None;
                Err(Error::NoPromise.into())
            }
        },
    }
}

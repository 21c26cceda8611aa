//! What only JavaScript can do.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// What only JavaScript can do: an object of the npm package, one for each client.
    pub type Host;

    /// An option of the application's, by its number in `settings.rs`: a number, which is negative where it is
    /// missing, or whether something is on.
    #[wasm_bindgen(method)]
    pub(crate) fn option(this: &Host, which: u32) -> f64;

    /// Carries out what the session asks for: what, by its number in `npm/src/outputs.ts`, which says what
    /// comes with it. May not throw.
    ///
    /// Whether a socket is being opened, where that is what it was asked for: that goes wrong where the
    /// platform does not take the URL.
    #[wasm_bindgen(method)]
    #[allow(clippy::too_many_arguments, reason = "one crossing of the boundary, and no object")]
    pub(crate) fn output(
        this: &Host,
        what: u32,
        id: u32,
        detail: u32,
        number: f64,
        a: Option<&str>,
        b: Option<&str>,
        c: Option<&str>,
        value: &JsValue,
    ) -> bool;
}

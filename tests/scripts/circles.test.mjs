// The check that no files of a crate import each other in a circle.
import assert from "node:assert/strict";
import { test } from "node:test";
import { circlesOf } from "../../scripts/test/circles.mjs";

const circles = (files) => circlesOf(new Map(Object.entries(files)));

test("files that import each other are a circle of any length", () => {
  const files = {
    "a.rs": "use crate::b::B;",
    "b.rs": "use std::fmt;\nuse crate::{\n    d::{D, E},\n    c::C,\n};",
    "c.rs": "fn f() -> crate::a::A { todo() }",
    "d.rs": "use crate::e::E;",
    "e.rs": "",
  };
  assert.deepEqual(circles(files), [["a.rs", "b.rs", "c.rs"]]);
});

test("a file and its child that import each other are a circle", () => {
  const child = { "a/b.rs": "use super::A;" };
  assert.deepEqual(circles({ "a.rs": "mod b;\nuse b::B;", ...child }), [["a.rs", "a/b.rs"]]);
  assert.deepEqual(circles({ "a.rs": "mod b;\npub use b::B;", ...child }), []);
  assert.deepEqual(circles({ "a.rs": "mod b;", "a/b.rs": "use super::super::a::A;" }), []);
});

test("crate roots, comments, texts and tests count for nothing", () => {
  const files = {
    "lib.rs": "mod a;\nuse a::A;",
    "a.rs":
      'use crate::Root;\n//! See [`crate::b::B`].\nconst A: &str = "crate::b::B"; // crate::b\n\n#[cfg(test)]\nmod tests {\n    use crate::b::B;\n}\n',
    "b.rs": "use crate::a::A;",
  };
  assert.deepEqual(circles(files), []);
});

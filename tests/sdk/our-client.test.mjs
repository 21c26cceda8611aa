// Our client package in Node, held to what Microsoft's does.
import { loadOurClient } from "../support/our-client.mjs";
import { defineClientSuite } from "./client-suite.mjs";

defineClientSuite("Our client in Node", await loadOurClient());

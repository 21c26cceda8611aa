// Microsoft's client package, unmodified.
import * as microsoft from "@azure/web-pubsub-client";
import { defineClientSuite } from "./client-suite.mjs";

defineClientSuite("Microsoft's client", microsoft);

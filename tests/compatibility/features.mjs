// Every feature of the service, one row each, and the tests that show it: what COMPATIBILITY.md is made of.
//
// A row is written with the functions of `row.mjs`. It names tests by file and name, and cases of their tables or
// vectors where they have some, so that none can be renamed or taken out unnoticed.
import { client } from "./client.mjs";
import { eventHandlers } from "./events.mjs";
import { mqttStatements } from "./mqtt-statements.mjs";
import { mqtt } from "./mqtt.mjs";
import { rolesAndPermissions } from "./permissions.mjs";
import { protobufClients } from "./protobuf.mjs";
import { rest } from "./rest.mjs";
import { notThere, ownClients, packages, robustness, sdks } from "./sdks.mjs";

export { packages };
export const areas = [
  ...sdks,
  ...ownClients,
  ...client,
  ...protobufClients,
  ...mqtt,
  ...mqttStatements,
  ...rolesAndPermissions,
  ...eventHandlers,
  ...rest,
  ...robustness,
  ...notThere,
];

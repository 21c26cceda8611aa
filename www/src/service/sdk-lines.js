// The same call as a line of a program: with Microsoft's packages for servers, and with curl.

const js = (value) => JSON.stringify(value);

/** How each operation is called in JavaScript, by its id; `v` has the parameters, `body` the message. */
const javascript = {
  SendToAll: ({ body, options }) => `service.sendToAll(${body}${options})`,
  SendToGroup: ({ v, body, options }) => `service.group(${js(v.group)}).sendToAll(${body}${options})`,
  SendToUser: ({ v, body, options }) => `service.sendToUser(${js(v.userId)}, ${body}${options})`,
  SendToConnection: ({ v, body, options }) => `service.sendToConnection(${js(v.connectionId)}, ${body}${options})`,
  CloseAllConnections: ({ reason }) => `service.closeAllConnections(${reason})`,
  CloseGroupConnections: ({ v, reason }) => `service.group(${js(v.group)}).closeAllConnections(${reason})`,
  CloseUserConnections: ({ v, reason }) => `service.closeUserConnections(${js(v.userId)}${reason && `, ${reason}`})`,
  CloseConnection: ({ v, reason }) => `service.closeConnection(${js(v.connectionId)}${reason && `, ${reason}`})`,
  ConnectionExists: ({ v }) => `service.connectionExists(${js(v.connectionId)})`,
  GroupExists: ({ v }) => `service.groupExists(${js(v.group)})`,
  UserExists: ({ v }) => `service.userExists(${js(v.userId)})`,
  AddConnectionToGroup: ({ v }) => `service.group(${js(v.group)}).addConnection(${js(v.connectionId)})`,
  RemoveConnectionFromGroup: ({ v }) => `service.group(${js(v.group)}).removeConnection(${js(v.connectionId)})`,
  AddUserToGroup: ({ v }) => `service.group(${js(v.group)}).addUser(${js(v.userId)})`,
  RemoveUserFromGroup: ({ v }) => `service.group(${js(v.group)}).removeUser(${js(v.userId)})`,
  RemoveUserFromAllGroups: ({ v }) => `service.removeUserFromAllGroups(${js(v.userId)})`,
  RemoveConnectionFromAllGroups: ({ v }) => `service.removeConnectionFromAllGroups(${js(v.connectionId)})`,
  ListConnectionsInGroup: ({ v }) => `service.group(${js(v.group)}).listConnections()`,
  GrantPermission: ({ v, target }) => `service.grantPermission(${js(v.connectionId)}, ${js(v.permission)}${target})`,
  RevokePermission: ({ v, target }) => `service.revokePermission(${js(v.connectionId)}, ${js(v.permission)}${target})`,
  CheckPermission: ({ v, target }) => `service.hasPermission(${js(v.connectionId)}, ${js(v.permission)}${target})`,
  AddConnectionsToGroups: ({ bulk }) => `service.addConnectionsToGroups(${bulk})`,
  RemoveConnectionsFromGroups: ({ bulk }) => `service.removeConnectionsFromGroups(${bulk})`,
  GenerateClientToken: ({ token }) => `service.getClientAccessToken(${token})`,
};

/** The program for an operation, or nothing where the package has no call for it. */
export function javascriptFor({ id }, values, { type, body }) {
  const call = javascript[id.replace(/^\w+?_/, "")];
  if (!call) return undefined;
  const given = (names) =>
    Object.entries(names)
      .filter(([, value]) => value !== undefined && value !== "")
      .map(([name, value]) => `${name}: ${typeof value === "string" && !/^\[|^\d+$/.test(value) ? js(value) : value}`);
  const members = (names) => (given(names).length > 0 ? `{ ${given(names).join(", ")} }` : "");
  const options = members({
    filter: values.filter,
    messageTtlSeconds: values.messageTtlSeconds,
    contentType: type === "text/plain" ? "text/plain" : undefined,
  });
  const bulk = parsed(body) ?? {};
  const text = call({
    v: values,
    body: type === "text/plain" ? js(body) : type === "application/json" ? body || "{}" : "bytes",
    options: options && `, ${options}`,
    reason: members({ reason: values.reason }),
    target: values.targetName ? `, { targetName: ${js(values.targetName)} }` : "",
    bulk: `${js(bulk.groups ?? [])}, ${js(bulk.filter ?? "")}`,
    token: members({
      userId: values.userId,
      roles: values.role && js(values.role.split("\n").filter(Boolean)),
      groups: values.group && js(values.group.split("\n").filter(Boolean)),
      expirationTimeInMinutes: values.minutesToExpire,
    }),
  });
  return `import { WebPubSubServiceClient } from "@azure/web-pubsub";

const service = new WebPubSubServiceClient(process.env.WebPubSubConnectionString, ${js(values.hub ?? "")});
console.log(await ${text});
`;
}

/** A text in Python: JSON's escapes are Python's, too. */
const py = js;

/** How each operation is called in Python, by its id. */
const python = {
  SendToAll: ({ content }) => `send_to_all(${content})`,
  SendToGroup: ({ v, content }) => `send_to_group(${py(v.group)}, ${content})`,
  SendToUser: ({ v, content }) => `send_to_user(${py(v.userId)}, ${content})`,
  SendToConnection: ({ v, content }) => `send_to_connection(${py(v.connectionId)}, ${content})`,
  CloseAllConnections: ({ reason }) => `close_all_connections(${reason})`,
  CloseGroupConnections: ({ v, andReason }) => `close_group_connections(${py(v.group)}${andReason})`,
  CloseUserConnections: ({ v, andReason }) => `close_user_connections(${py(v.userId)}${andReason})`,
  CloseConnection: ({ v, andReason }) => `close_connection(${py(v.connectionId)}${andReason})`,
  ConnectionExists: ({ v }) => `connection_exists(${py(v.connectionId)})`,
  GroupExists: ({ v }) => `group_exists(${py(v.group)})`,
  UserExists: ({ v }) => `user_exists(${py(v.userId)})`,
  AddConnectionToGroup: ({ v }) => `add_connection_to_group(${py(v.group)}, ${py(v.connectionId)})`,
  RemoveConnectionFromGroup: ({ v }) => `remove_connection_from_group(${py(v.group)}, ${py(v.connectionId)})`,
  AddUserToGroup: ({ v }) => `add_user_to_group(${py(v.group)}, ${py(v.userId)})`,
  RemoveUserFromGroup: ({ v }) => `remove_user_from_group(${py(v.group)}, ${py(v.userId)})`,
  RemoveUserFromAllGroups: ({ v }) => `remove_user_from_all_groups(${py(v.userId)})`,
  RemoveConnectionFromAllGroups: ({ v }) => `remove_connection_from_all_groups(${py(v.connectionId)})`,
};

/** The program for an operation in Python, or nothing where it is not among those that are written here. */
export function pythonFor({ id }, values, { type, body }) {
  const call = python[id.replace(/^\w+?_/, "")];
  if (!call) return undefined;
  const named = Object.entries({ filter: values.filter, message_ttl_seconds: values.messageTtlSeconds })
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `, ${name}=${name === "filter" ? py(value) : value}`);
  const content = {
    "text/plain": `${py(body)}, content_type="text/plain"`,
    "application/json": `json.loads(${py(body)})`,
    "application/octet-stream": 'b"…", content_type="application/octet-stream"',
  }[type];
  const reason = values.reason ? `reason=${py(values.reason)}` : "";
  const text = call({ v: values, content: `${content}${named.join("")}`, reason, andReason: reason && `, ${reason}` });
  return `${text.includes("json.") ? "import json\n" : ""}import os
from azure.messaging.webpubsubservice import WebPubSubServiceClient

service = WebPubSubServiceClient.from_connection_string(os.environ["WebPubSubConnectionString"], hub=${py(values.hub ?? "")})
print(service.${text})
`;
}

/** The same with curl; the token is made by the project's own command. */
export function curlFor({ method, isOpen }, { path, query }, { type, body }, origin) {
  const search = String(new URLSearchParams(query));
  const parts = [
    `curl -sS --fail-with-body${method === "HEAD" ? " -I" : ` -X ${method}`} ${quoted(`${origin}${path}${search && `?${search}`}`)}`,
    ...(isOpen ? [] : [`-H "Authorization: Bearer $(npm run -s token -- --path ${quoted(path)})"`]),
    ...(type ? [`-H ${quoted(`Content-Type: ${type}`)}`, `--data-raw ${quoted(body)}`] : []),
  ];
  return parts.join(" \\\n  ");
}

/** In quotes of a shell, so that nothing in it is looked at. */
const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

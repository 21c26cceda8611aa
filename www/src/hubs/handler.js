// One event handler of a hub: as its settings have it, and as the fields of a form.

export const systemEvents = ["connect", "connected", "disconnected"];
export const presenceEvents = ["joined", "left"];

/** The fields of a new handler. */
export const newHandler = () => fieldsOf({ urlTemplate: "", userEventPattern: "*" });

/**
 * A handler of the settings as fields.
 *
 * @param {{ urlTemplate?: string, userEventPattern?: string | null, systemEvents?: string[] | null, groupPresenceEvents?: any, auth?: any }} handler
 */
export function fieldsOf({
  urlTemplate = "",
  userEventPattern = "",
  systemEvents: system = [],
  groupPresenceEvents,
  auth,
}) {
  const pattern = userEventPattern ?? "";
  const presence = groupPresenceEvents?.eventNames ?? [];
  const has = (names, name) => (names ?? []).some((one) => one.toLowerCase() === name);
  const [credential, isSecret] = credentialOf(auth);
  return {
    urlTemplate,
    users: pattern.trim() === "" ? "none" : pattern.trim() === "*" ? "all" : "some",
    names: pattern.trim() === "*" ? "" : pattern,
    connect: has(system, "connect"),
    connected: has(system, "connected"),
    disconnected: has(system, "disconnected"),
    joined: has(presence, "joined"),
    left: has(presence, "left"),
    groupFilters: (groupPresenceEvents?.groupFilters ?? []).join("\n"),
    auth: auth?.type ?? "none",
    headerName: auth?.name ?? "",
    credential,
    isSecret,
  };
}

/** Fields as a handler of the settings. */
export function handlerOf(fields) {
  const names = fields.names
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean)
    .join(",");
  const chosen = (all) => all.filter((name) => fields[name]);
  const groupFilters = fields.groupFilters
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const credential = fields.isSecret ? { secret: fields.credential.trim() } : fields.credential;
  return {
    urlTemplate: fields.urlTemplate.trim(),
    ...(fields.users !== "none" && { userEventPattern: fields.users === "all" ? "*" : names }),
    ...(chosen(systemEvents).length > 0 && { systemEvents: chosen(systemEvents) }),
    ...(chosen(presenceEvents).length > 0 && {
      groupPresenceEvents: { eventNames: chosen(presenceEvents), ...(groupFilters.length > 0 && { groupFilters }) },
    }),
    ...(fields.auth === "Bearer" && { auth: { type: "Bearer", token: credential } }),
    ...(fields.auth === "Header" && { auth: { type: "Header", name: fields.headerName.trim(), value: credential } }),
  };
}

/** Where the events of a handler go, for a few of them: pairs of an event and its URL. */
export function previewOf(fields, hub) {
  const users = {
    all: ["message"],
    some: fields.names
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean),
    none: [],
  };
  const events = [...systemEvents, ...presenceEvents].filter((name) => fields[name]);
  return [...users[fields.users].slice(0, 3), ...events].map((event) => [
    event,
    fields.urlTemplate
      .trim()
      .replaceAll("{hub}", encodeURIComponent(hub))
      .replaceAll("{event}", encodeURIComponent(event)),
  ]);
}

/** What stands for a handler's secret, and whether it is the name of one. */
function credentialOf(auth) {
  const value = auth?.token ?? auth?.value ?? "";
  return typeof value === "object" ? [value.secret ?? "", true] : [value, false];
}

// The operations of the REST API, out of the OpenAPI document that the service serves.

/**
 * @typedef {{ name: string, in: "path" | "query", isRequired: boolean, isList: boolean, choices?: string[], about: string }} Parameter
 * @typedef {{
 *   id: string, method: string, path: string, summary: string, group: string, parameters: Parameter[],
 *   contentTypes: string[], isOpen: boolean, example?: string,
 * }} Operation
 */

/** Where an operation belongs in the list, by what its path goes on with. @type {[pattern: RegExp, group: string][]} */
const GROUPS = [
  [/^\/management\//, "Operators"],
  [/\/connections\/\{connectionId\}/, "One connection"],
  [/\/permissions\//, "One connection"],
  [/\/users\//, "A user"],
  [/\/groups\/\{group\}/, "A group"],
  [/\/hubs\/\{hub\}/, "The whole hub"],
];

/** Paths that are no calls of an operator's: a WebSocket, and how this page signs in. */
const NOT_CALLED = /\/trace$|^\/management\/session$/;

/**
 * Reads the document.
 *
 * @returns {Operation[]}
 */
export function operationsOf(document) {
  const served = Object.entries(document.paths).filter(([path]) => !NOT_CALLED.test(path));
  return served.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: operation.operationId,
      method: method.toUpperCase(),
      path,
      summary: operation.summary ?? operation.operationId,
      group:
        GROUPS.find(([pattern]) =>
          pattern.test(path.replace(/\/groups\/\{group\}\/connections.*/, "/groups/{group}")),
        )?.[1] ?? "The service",
      parameters: (operation.parameters ?? []).map(parameterOf),
      contentTypes: Object.keys(operation.requestBody?.content ?? {}).sort((a, b) => order(a) - order(b)),
      isOpen: operation.security?.length === 0,
      example: exampleOf(document, operation),
    })),
  );
}

/** What a request comes to: its path with the parameters in it, and its query. */
export function requestOf(operation, values) {
  const query = [];
  let { path } = operation;
  for (const { name, in: where, isList } of operation.parameters) {
    const value = values[name] ?? "";
    if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value !== "")
      for (const one of isList ? value.split("\n").filter(Boolean) : [value]) query.push([name, one]);
  }
  return { path, query };
}

/** Throws which parameter is missing. */
export function checkValues({ parameters }, values) {
  const missing = parameters.find(({ name, isRequired }) => isRequired && !(values[name] ?? "").trim());
  if (missing) throw new Error(`${missing.name} is needed.`);
}

/** @returns {Parameter} */
function parameterOf({ name, in: where, required = false, description = "", schema = /** @type {any} */ ({}) }) {
  return {
    name,
    in: where,
    isRequired: required,
    isList: schema.type === "array",
    choices: schema.enum,
    about: description,
  };
}

/** Text comes first: it is what people send by themselves. */
const order = (type) => ["text/plain", "application/json", "application/octet-stream"].indexOf(type);

/** A JSON body to begin with, where the document says which members one has. */
function exampleOf({ components }, { requestBody }) {
  const schema = requestBody?.content?.["application/json"]?.schema;
  const named = schema?.$ref ? components.schemas[schema.$ref.split("/").at(-1)] : schema;
  if (!named?.properties) return undefined;
  const value = ({ type }) => ({ array: ["room"], string: "", integer: 0, boolean: false })[[type].flat()[0]] ?? null;
  const members = Object.entries(/** @type {Record<string, any>} */ (named.properties)).filter(([name]) =>
    named.required?.includes(name),
  );
  return JSON.stringify(Object.fromEntries(members.map(([name, member]) => [name, value(member)])));
}

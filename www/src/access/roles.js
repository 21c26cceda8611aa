// Which groups roles open, as the service reads them: to test them before a client has them. One set of vectors
// (tests/vectors/roles) holds the crate's rule and this to the same.
//
// Source: docs/spec/permissions.md#roles, docs/spec/permissions.md#patterns.

/** The two permissions, and how their roles begin. */
export const permissions = ["joinLeaveGroup", "sendToGroup"];

const MAX_PATTERN_LENGTH = 1024;
const MAX_WILDCARDS = 5;
const MAX_GROUP_LENGTH = 1024;

/**
 * Why a client with these roles has a permission for a group: the role that grants it.
 *
 * @param {string[]} roles
 * @param {string} permission
 * @param {string} group
 * @returns {string | undefined}
 */
export function grantedBy(roles, permission, group) {
  return roles.find((role) => {
    if (problemOfRole(role) !== undefined) return false;
    if (role === `webpubsub.${permission}` || role === `webpubsub.${permission}.${group}`) return true;
    const pattern = patternOf(role, permission);
    return pattern !== undefined && expression(pattern).test(group);
  });
}

/**
 * What is wrong with a role, if the service would pass over it.
 *
 * @param {string} role
 * @returns {string | undefined}
 */
export function problemOfRole(role) {
  for (const permission of permissions) {
    if (role === `webpubsub.${permission}`) return undefined;
    const start = `webpubsub.${permission}.`;
    if (role.startsWith(start)) return problemOfGroup(role.slice(start.length));
    const pattern = patternOf(role, permission);
    if (pattern !== undefined) return problemOf(pattern);
  }
  return "The service has no such role, and passes over it.";
}

/** @param {string} name */
function problemOfGroup(name) {
  if (name.trim() === "") return "The role names no group.";
  if (name === "." || name === "..") return `No group is called ${name}`;
  if ([...name].length > MAX_GROUP_LENGTH) return `A group's name has at most ${MAX_GROUP_LENGTH} characters.`;
  return undefined;
}

/**
 * The pattern that a role grants a permission for.
 *
 * @param {string} role
 * @param {string} permission
 */
function patternOf(role, permission) {
  const start = `webpubsub.${permission}s.`;
  return role.startsWith(start) ? role.slice(start.length) : undefined;
}

/**
 * The parts of a pattern: an escaped character, stars, a question mark, or one character of a name.
 *
 * @param {string} pattern
 * @returns {string[]}
 */
const parts = (pattern) => pattern.match(/\\[^]?|\*+|[^]/gu) ?? [];

/** @param {string} pattern */
function problemOf(pattern) {
  if (pattern === "") return "The pattern is empty.";
  if ([...pattern].length > MAX_PATTERN_LENGTH) return `A pattern has at most ${MAX_PATTERN_LENGTH} characters.`;
  if (parts(pattern).some((part) => part[0] === "\\" && !/^\\[*?\\]$/.test(part)))
    return "A backslash stands before *, ? or another backslash only.";
  if (parts(pattern).filter((part) => part[0] === "*" || part === "?").length > MAX_WILDCARDS)
    return `A pattern has at most ${MAX_WILDCARDS} wildcards.`;
  return undefined;
}

/** @param {string} pattern */
function expression(pattern) {
  const source = parts(pattern).map((part) => {
    if (part === "?") return "[^.]";
    if (part[0] === "*") return part.length > 1 ? "[^]*" : "[^.]*";
    return literal(part.length > 1 && part[0] === "\\" ? part.slice(1) : part);
  });
  return new RegExp(`^${source.join("")}$`, "u");
}

/** @param {string} character */
const literal = (character) => character.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

// How a command ends, for scripts.

export const FAILED = 1;
export const USAGE = 2;
export const NOT_REACHED = 3;
export const NOT_ALLOWED = 4;
export const NOT_THERE = 5;

/** @type {[code: number, meaning: string][]} */
export const EXIT_CODES = [
  [0, "It is done."],
  [FAILED, "It failed, for a reason that standard error says."],
  [USAGE, "The command line, a variable or a setting is wrong."],
  [NOT_REACHED, "The service was not reached."],
  [NOT_ALLOWED, "The service refuses the access key."],
  [NOT_THERE, "There is no such hub, handler, connection, user or group."],
];

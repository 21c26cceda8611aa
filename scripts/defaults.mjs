// Where a service on one's own machine listens, and where commands look for it, unless options say otherwise.

export const PORTS = { http: 8080, https: 8443 };

export const HOST = "127.0.0.1";

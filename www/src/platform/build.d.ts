// What the build gives the page.

/** The version of the service that the page was built with. */
declare const WEBPUBSUB_EDGE_VERSION: string;

// Libraries for MQTT that devices use, each in the versions of the protocol that it knows.
import { MqttJs } from "./mqtt-js.mjs";
import { pythonDevices, rustDevices } from "./program.mjs";

/**
 * `says` is what a library lets its program see: the codes of acknowledgements, of the service's DISCONNECT, and
 * whether a session was there; `properties` those of 5.0.
 */
const LIBRARIES = [
  {
    make: () => new MqttJs(),
    versions: [4, 5],
    says: ["ack", "disconnect", "session", "unsubscribe", "properties", "identifiers"],
  },
  {
    make: () => pythonDevices("paho"),
    versions: [4, 5],
    says: ["ack", "disconnect", "session", "unsubscribe", "properties", "identifiers"],
  },
  { make: () => pythonDevices("aiomqtt"), versions: [4, 5], says: ["properties", "identifiers"] },
  { make: () => pythonDevices("amqtt"), versions: [4], says: [] },
  { make: rustDevices, versions: [4, 5], says: ["ack", "disconnect", "session", "unsubscribe"] },
];

/** A library in one version of the protocol: 4 is 3.1.1, 5 is 5.0. */
export const devices = LIBRARIES.flatMap(({ make, versions, says }) => {
  const library = make();
  return versions.map((version) => ({
    name: `${library.name}, ${version === 5 ? "5.0" : "3.1.1"}`,
    library,
    version,
    /** Whether its program can see this; properties and the service's DISCONNECT are of 5.0 only. */
    sees: (what) =>
      says.includes(what) && (version === 5 || !["disconnect", "properties", "identifiers"].includes(what)),
    /** The code of this version. */
    code: (of5, of4) => (version === 5 ? of5 : of4),
  }));
});

/** Starts a library for a suite. */
export const libraries = [...new Set(devices.map(({ library }) => library))];

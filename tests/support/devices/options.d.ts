// What a device of the tests is asked for, whichever library it is made of.

export type UserProperties = [name: string, value: string][];

/** The properties of a PUBLISH or a will. */
export interface MessageProperties {
  contentType?: string;
  utf8?: boolean;
  responseTopic?: string;
  correlation?: Buffer;
  user?: UserProperties;
  expiry?: number;
}

export interface PublishOptions extends MessageProperties {
  qos?: number;
  retain?: boolean;
}

export interface Will extends PublishOptions {
  topic: string;
  payload: string | Buffer;
  delay?: number;
}

export interface SubscribeOptions {
  qos?: number;
  id?: number;
  noLocal?: boolean;
}

export interface ConnectOptions {
  /** 3 is MQTT 3.1, 4 is 3.1.1. */
  version?: 3 | 4 | 5;
  id?: string;
  clean?: boolean;
  expiry?: number;
  keepAlive?: number;
  will?: Will;
  user?: string;
  password?: string;
  properties?: UserProperties;
}

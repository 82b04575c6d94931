/** A sealed config value: opaque here. Equal clear texts of one app, key name and data key seal to equal bytes. */
export type Sealed = Uint8Array;

/** The user an op was made for, as shown in `releases`. */
export type UserEmail = string;

/** How long each stage of a dyno's life may take. */
export const FETCH_TIMEOUT_MS = 120_000;
// R10: a web dyno gets 60 s to bind $PORT. https://devcenter.heroku.com/articles/error-codes#r10-boot-timeout
export const BOOT_TIMEOUT_MS = 60_000;
export const DRAIN_TIMEOUT_MS = 30_000;
// Other peers' routers may send requests until they have heard that the dyno drains, however idle it looks here.
export const DRAIN_MS_MIN = 1_000;
// R12: 30 s from SIGTERM to SIGKILL. https://devcenter.heroku.com/articles/error-codes#r12-exit-timeout
export const EXIT_TIMEOUT_MS = 30_000;
export const KILL_AGAIN_MS = 5_000;
// An Engine that is restarted or upgraded is back within seconds, and its dynos may have run on meanwhile: moving them
// any sooner would cost more than it saves. After this they count as lost, as those of a dead peer do.
export const RUNTIME_GRACE_MS = 15_000;

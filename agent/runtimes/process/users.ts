/** Above what systems and container managers give out, which end at 1,878,982,655, and below 2^31. */
const UID_FIRST = 1_900_000_000;
const UIDS = 65_536;

/** Owner of unpacked slugs when the agent is root: it owns nothing else and runs nothing but tar. */
export const SLUG_UID = UID_FIRST - 1;

export function isDynoUid(uid: number): boolean {
  return uid >= UID_FIRST && uid < UID_FIRST + UIDS;
}

/** What goes before a command that root starts for another user; nothing for null. */
export function changeUser(uid: number | null, more: readonly string[] = []): string[] {
  if (uid === null) return [];
  const ids = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  return ['/usr/bin/setpriv', ...ids, '--inh-caps=-all', ...more, '--'];
}

/** Users for dynos, one each, when the agent is root: numbers only, no accounts. */
export class Users {
  #next = Math.floor(Math.random() * UIDS);

  take(taken: ReadonlySet<number>): number {
    let uid: number;
    do {
      uid = UID_FIRST + this.#next;
      this.#next = (this.#next + 1) % UIDS;
    } while (taken.has(uid));
    return uid;
  }
}

import type { PeerId, SlotKey } from '../ids.ts';
import { parseSlotKey } from '../ids.ts';
import type { App } from '../ledger/apps/app-types.ts';
import { whyNotOrdered } from '../ledger/domains/certificate-duties.ts';
import type { View } from '../ledger/view.ts';
import type { PeerStatus } from '../shell/host.ts';
import { acmStanding } from './acm.ts';
import { liveApps } from './app.ts';
import { peerResources } from './peer.ts';
import type { PeerResource } from './peer.ts';
import { isoTime } from './time.ts';

export type Problem = {
  readonly id: string;
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
  readonly hint: string;
};

export type DoctorResource = {
  readonly problems: readonly Problem[];
  /** Ops that threw when applied: stored, forwarded, skipped. */
  readonly quarantined: readonly { readonly op: string; readonly reason: string }[];
  /** Ops whose parents have not come yet. */
  readonly waiting: number;
};

export type Unplaced = { readonly slot: SlotKey; readonly reason: string };

/** What is wrong with the cluster as this peer sees it, gravest first. `now`: wall ms. */
export function doctorResource(
  view: View,
  statuses: readonly PeerStatus[],
  unplaced: readonly Unplaced[],
  self: PeerId,
  now: number,
): DoctorResource {
  const problems = [
    ...removalProblems(view, self),
    ...peerResources(view, statuses, self).flatMap(peerProblems),
    ...unplaced.map((each) => unplacedProblem(view, each)),
    ...liveApps(view).flatMap(appProblems),
    ...liveApps(view).flatMap(portProblems),
    ...liveApps(view).flatMap((app) => certProblems(app, now)),
    ...liveApps(view).flatMap(acmProblems),
    ...ledgerProblems(view),
  ];
  const gravity = { error: 0, warning: 1, info: 2 };
  return {
    problems: problems.sort((a, b) => gravity[a.severity] - gravity[b.severity]),
    quarantined: [...view.quarantined].map(([op, reason]) => ({ op, reason })),
    waiting: view.waiting,
  };
}

/** Time to get another one: authorities that give them for 90 days renew a third before the end. */
const EXPIRES_SOON_MS = 21 * 24 * 3_600_000;

function certProblems(app: App, now: number): readonly Problem[] {
  return [...app.certs.values()].flatMap((cert): Problem[] => {
    const { name, acm } = cert;
    const { startsAt, expiresAt } = cert.facts;
    // What is ordered may be good for a few days only, and is renewed after two thirds of them.
    const soonMs = acm === null ? EXPIRES_SOON_MS : (expiresAt - startsAt) / 6;
    if (expiresAt > now + soonMs) return [];
    const isOver = expiresAt <= now;
    const when = `${isOver ? 'expired' : 'expires'} at ${isoTime(expiresAt)}`;
    return [
      {
        id: isOver ? 'certificate_expired' : 'certificate_expires',
        severity: isOver ? 'error' : 'warning',
        message: `The certificate "${name}" of "${app.name}" ${when}`,
        hint:
          acm === null
            ? `Put another one in its place: \`kith certs:update CRT KEY --name ${name} -a ${app.name}\``
            : `See why it was not renewed: \`kith certs:auto -a ${app.name}\``,
      },
    ];
  });
}

function acmProblems(app: App): readonly Problem[] {
  return [...app.domains.values()].flatMap((domain): Problem[] => {
    const { status, reason } = acmStanding(app, domain);
    if (status !== 'failing' && status !== 'failed') return [];
    const isHopeless = whyNotOrdered(app, domain) === 'wildcard';
    return [
      {
        id: 'certificate_not_ordered',
        severity: isHopeless ? 'info' : 'warning',
        message: `No certificate could be ordered for "${domain.hostname}" of "${app.name}": ${reason ?? ''}`,
        hint: isHopeless
          ? `Until then it is served with the cluster's own: \`kith certs -a ${app.name}\` lists those there are`
          : `Once that is mended, \`kith certs:auto:refresh -a ${app.name}\` tries at once`,
      },
    ];
  });
}

function removalProblems(view: View, self: PeerId): readonly Problem[] {
  if (view.members.get(self)?.state !== 'removed') return [];
  return [
    {
      id: 'peer_removed',
      severity: 'error',
      message: 'This peer was removed from its cluster: nobody there listens to it any more',
      hint: 'To join again, stop its agent, delete its data directory, and start it with an invite',
    },
  ];
}

function peerProblems(peer: PeerResource): readonly Problem[] {
  if (peer.state === 'alive') {
    if (peer.runtime_down === null) return [];
    return [
      {
        id: 'runtime_down',
        severity: 'error',
        message: `The peer "${peer.name}" cannot start dynos: ${peer.runtime_down}`,
        hint: 'Look at the Engine on that machine; dynos come back by themselves when it does',
      },
    ];
  }
  const message = `The peer "${peer.name}" is ${peer.state}`;
  const isDown = peer.state === 'down' || peer.state === 'gone';
  return [
    {
      id: 'peer_not_alive',
      severity: isDown ? 'error' : 'warning',
      message,
      hint: isDown
        ? `Start its agent; if it never comes back, \`kith peers:remove ${peer.name}\``
        : 'It may be restarting or cut off: look again in a moment',
    },
  ];
}

function unplacedProblem(view: View, { slot, reason }: Unplaced): Problem {
  const { app, type, index } = parseSlotKey(slot);
  const name = view.apps.get(app)?.name ?? app;
  return {
    id: 'dyno_unplaced',
    severity: 'error',
    message: `No peer can run ${type}.${index} of "${name}": ${reason}`,
    hint: 'Scale it down, make room, or let another peer join',
  };
}

/** Config vars may still name the number that it was to have: they now lead to what the other side opened there. */
function portProblems(app: App): readonly Problem[] {
  return [...app.ports.values()]
    .filter(({ number, wantedNumber }) => number !== wantedNumber)
    .map(({ type, number, wantedNumber }) => ({
      id: 'port_number_taken_twice',
      severity: 'warning' as const,
      message: `Port ${wantedNumber} was given twice, on both sides of a split: "${type}" of "${app.name}" has ${number} now`,
      hint: `Change what names the old one, then \`kith ports:open ${type} --number ${number} -a ${app.name}\``,
    }));
}

function appProblems(app: App): readonly Problem[] {
  const problems: Problem[] = [];
  if (app.name !== app.wantedName) {
    problems.push({
      id: 'app_name_taken_twice',
      severity: 'warning',
      message: `"${app.wantedName}" was created on both sides of a split: the later is shown as "${app.name}"`,
      hint: `\`kith apps:rename NEW --app ${app.name}\` gives it a name of its own`,
    });
  }
  for (const { name, wantedName, state } of app.addons.values()) {
    if (name === wantedName || state === 'deprovisioned') continue;
    problems.push({
      id: 'addon_name_taken_twice',
      severity: 'info',
      message: `"${wantedName}" was given to two add-ons at once: the later, of "${app.name}", is called "${name}"`,
      hint: `\`kith addons:rename ${name} NEW\` gives it a name of its own`,
    });
  }
  if (app.heads.length > 1) {
    problems.push({
      id: 'releases_unmerged',
      severity: 'info',
      message: `"${app.name}" has ${app.heads.length} newest releases, made on both sides of a split`,
      hint: 'Its home peer merges them by itself',
    });
  }
  return problems;
}

function ledgerProblems(view: View): readonly Problem[] {
  const problems: Problem[] = [];
  if (view.quarantined.size > 0) {
    problems.push({
      id: 'ops_quarantined',
      severity: 'error',
      message: `${view.quarantined.size} ops of the ledger could not be applied`,
      hint: 'They are kept and skipped; an agent upgrade may understand them',
    });
  }
  if (view.waiting > 0) {
    problems.push({
      id: 'ops_waiting',
      severity: 'info',
      message: `${view.waiting} ops of the ledger wait for others that have not come`,
      hint: 'They come by themselves when this peer reaches those that hold them',
    });
  }
  return problems;
}

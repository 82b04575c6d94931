import type { AcmeResource } from '../../src/platform/acme.ts';
import type { Screen } from './print/screen.ts';
import { formatMoment } from './print/time.ts';

/** Where the cluster orders certificates. */
export function printAcme(screen: Screen, acme: AcmeResource, now: number): void {
  const { directory_url: directory, email, ca, updated_at: at } = acme;
  if (directory === null) {
    screen.line('No certificates are ordered: nobody has agreed to the terms of an authority yet.');
    return screen.line('An admin does so: kith acme:set EMAIL --agree');
  }
  screen.facts({
    Directory: directory,
    'E-mail': email ?? 'none',
    'Trusted by': ca === null ? 'everybody' : 'a CA of your own',
    Set: at === null ? undefined : formatMoment(at, now),
  });
}

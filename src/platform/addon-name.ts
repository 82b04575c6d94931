import type { AddonId } from '../ids.ts';
import { uuidOf } from './ids.ts';

/** `acme-redis-curved-12345`: which word and number come from the id. */
export function addonNameOf(service: string, id: AddonId): string {
  const seed = uuidOf('addon-name', id);
  const word = WORDS[Number.parseInt(seed.slice(0, 6), 16) % WORDS.length] ?? 'flat';
  const number = 10_000 + (Number.parseInt(seed.slice(24, 32), 16) % 90_000);
  return `${service}-${word}-${number}`;
}

const WORDS = [
  'acute',
  'angular',
  'animated',
  'asymmetrical',
  'clean',
  'clear',
  'closed',
  'colorful',
  'concave',
  'concentric',
  'contoured',
  'convex',
  'cubed',
  'curly',
  'curved',
  'cylindrical',
  'deep',
  'defined',
  'dimensional',
  'elliptical',
  'encircled',
  'fitted',
  'fixed',
  'flat',
  'flexible',
  'fluffy',
  'globular',
  'graceful',
  'horizontal',
  'infinite',
  'lively',
  'metric',
  'objective',
  'octagonal',
  'opaque',
  'parallel',
  'perpendicular',
  'pointy',
  'polished',
  'reticulated',
  'rigid',
  'round',
  'rugged',
  'shallow',
  'shaped',
  'sinuous',
  'slippery',
  'solid',
  'spherical',
  'symmetrical',
  'tapered',
  'transparent',
  'trapezoidal',
  'triangular',
  'vertical',
] as const;

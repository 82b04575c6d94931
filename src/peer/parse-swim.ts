import type { PeerId } from '../ids.ts';
import type { Evidence, Rumour, SwimMessage } from '../membership/types.ts';
import { choiceIn, countIn, fieldsOf, Flaw, listIn, textIn, type Fields } from './read-fields.ts';

// These keep one message from filling our maps.
const RUMOURS_MAX = 256;
const PEER_LENGTH_MAX = 128;

/** The failure detector's messages, field by field: they are most of what an idle peer hears. Throws `Flaw`. */
export function parseSwim(value: unknown): SwimMessage {
  const fields = fieldsOf(value, 'message');
  const { t } = fields;
  switch (t) {
    case 'ping':
      return { t, n: countIn(fields, 'n'), rumours: rumoursIn(fields), evidence: evidenceIn(fields) };
    case 'ack':
      return {
        t,
        n: countIn(fields, 'n'),
        incarnation: countIn(fields, 'incarnation'),
        rumours: rumoursIn(fields),
        evidence: evidenceIn(fields),
      };
    case 'pingReq':
      return { t, n: countIn(fields, 'n'), target: peerIn(fields, 'target'), rumours: rumoursIn(fields) };
    case 'indirect':
      return {
        t,
        n: countIn(fields, 'n'),
        target: peerIn(fields, 'target'),
        ok: choiceIn(fields, 'ok', [true, false]),
        incarnation: countIn(fields, 'incarnation'),
      };
    default:
      throw new Flaw('message: t: must be a kind of probe');
  }
}

function rumoursIn(fields: Fields): readonly Rumour[] {
  return listIn(fields, 'rumours', RUMOURS_MAX, (item) => {
    const rumour = fieldsOf(item, 'rumours');
    return {
      peer: peerIn(rumour, 'peer'),
      incarnation: countIn(rumour, 'incarnation'),
      state: choiceIn(rumour, 'state', ['alive', 'suspect', 'down', 'left']),
      by: peerIn(rumour, 'by'),
    };
  });
}

function evidenceIn(fields: Fields): readonly Evidence[] {
  return listIn(fields, 'evidence', RUMOURS_MAX, (item) => {
    const evidence = fieldsOf(item, 'evidence');
    return {
      peer: peerIn(evidence, 'peer'),
      by: peerIn(evidence, 'by'),
      incarnation: countIn(evidence, 'incarnation'),
      found: choiceIn(evidence, 'found', ['gone', 'agentOnly']),
    };
  });
}

function peerIn(fields: Fields, key: string): PeerId {
  return textIn(fields, key, PEER_LENGTH_MAX) as PeerId;
}

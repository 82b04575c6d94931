import type { CertId } from '../../ids.ts';
import { assertNever } from '../../step.ts';
import type { FoldOp } from '../op-graph.ts';
import type { OpBodyOf } from '../op.ts';
import { writeRegister } from '../register.ts';
import type { Register } from '../register.ts';
import type { Cert, CertBody, CertContent } from './cert-types.ts';

type CertWrite = CertContent & { readonly acm: string | null };

/** An app's certificates as registers, and which of them each of its domains is to be served with. */
export type CertsState = {
  readonly certs: ReadonlyMap<
    CertId,
    { readonly createdAt: number; readonly writes: Register<CertWrite | null> }
  >;
  /** By the domain's id, not its host name: a domain that was removed and added again begins without one. */
  readonly ofDomains: ReadonlyMap<string, Register<CertId | null>>;
};

export function noCerts(): CertsState {
  return { certs: new Map(), ofDomains: new Map() };
}

export function applyCert(
  state: CertsState,
  op: FoldOp,
  body: CertBody | OpBodyOf<'domain.update'>,
): CertsState {
  const { id, hlc, parents } = op;
  switch (body.kind) {
    case 'cert.set': {
      const { name, displayName, chain, key, facts, acm = null } = body;
      return write(state, body.cert, op, { name, displayName, chain, key, facts, acm });
    }
    case 'cert.remove':
      return write(state, body.cert, op, null);
    case 'domain.update': {
      const register = writeRegister(
        state.ofDomains.get(body.domain),
        { id, hlc, value: body.cert },
        parents,
      );
      return { ...state, ofDomains: new Map(state.ofDomains).set(body.domain, register) };
    }
    default:
      return assertNever(body);
  }
}

function write(
  state: CertsState,
  cert: CertId,
  { id, hlc, parents }: FoldOp,
  value: CertWrite | null,
): CertsState {
  const known = state.certs.get(cert);
  const writes = writeRegister(known?.writes, { id, hlc, value }, parents);
  const createdAt = Math.min(known?.createdAt ?? Infinity, hlc.ms);
  return { ...state, certs: new Map(state.certs).set(cert, { createdAt, writes }) };
}

/** Those that were not removed, as readers see them. */
export function toCerts({ certs }: CertsState): ReadonlyMap<CertId, Cert> {
  const shown = new Map<CertId, Cert>();
  for (const [id, { createdAt, writes }] of certs) {
    const [latest] = writes;
    if (latest === undefined || latest.value === null) continue;
    shown.set(id, { id, ...latest.value, createdAt, updatedAt: latest.hlc.ms });
  }
  return shown;
}

/** The certificate that a domain was given; null where that is gone, or none was. */
export function certOfDomain(state: CertsState, domain: string): CertId | null {
  const cert = state.ofDomains.get(domain)?.[0]?.value ?? null;
  return cert === null || state.certs.get(cert)?.writes[0]?.value == null ? null : cert;
}
